//! Paths that belong together: one set a line.

const SETS: &str = include_str!("related.txt");

/// Returns the paths that belong together with `path`, at most five, and the list that has it.
pub(super) fn to(path: &str) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for set in SETS.lines().filter(|set| set.split(", ").any(|member| member == path)) {
        for other in set.split(", ") {
            if other != path && !all.contains(&other) && all.len() < 5 {
                all.push(other);
            }
        }
    }
    if let Some((list, _)) = path.rsplit_once('.') {
        all.push(list);
    }
    all
}
