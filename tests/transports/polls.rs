//! HTTP, polls and long polls: curl calls our servers, and our clients call Node's http.

use super::harness::{Caller, Cutter, Server, call, curl, curled, serving};

/// The content, and the status in a line behind it.
const STATUS: [&str; 2] = ["--write-out", "\n%{http_code}"];

#[test]
#[ignore = "needs curl; tests/run installs it"]
fn curl_posts_and_gets_its_words_back() {
    let server = Server::start("http", &["--message", "2m"]);
    let url = server.url("http", "/");
    assert_eq!(curled(&["--data", "hello", &url]), "hello");
    // Two requests on one connection, the second in chunks.
    let chunked = [
        "--data",
        "one",
        &url,
        "--next",
        "-s",
        "--header",
        "Transfer-Encoding: chunked",
        "--data",
        "two",
        &url,
    ];
    assert_eq!(curled(&chunked), "onetwo");
    // 1 MiB and more: curl waits for 100 Continue.
    let folder = crate::support::Folder::new();
    let large = "x".repeat((1 << 20) + 1);
    let file = folder.file("large", &large);
    let data = format!("@{file}");
    assert_eq!(curled(&["--data-binary", &data, "--expect100-timeout", "15", &url]), large);
    assert_eq!(curled(&["--http1.0", "--data", "old", &url]), "old");
    assert!(curled(&["--head", &url]).contains("HTTP/1.1 200 OK"));
    let status = |more: &[&str]| {
        let out = curled(&[&STATUS[..], more].concat());
        out.rsplit_once('\n').unwrap().1.to_owned()
    };
    assert_eq!(status(&["--request", "DELETE", &url]), "405");
    assert_eq!(status(&[&server.url("http", "/elsewhere")]), "404");
    assert_eq!(status(&["--header", "Origin: http://evil.example", "--data", "x", &url]), "403");
    assert_eq!(status(&["--header", &format!("X: {}", "y".repeat(20_000)), &url]), "431");
    assert_eq!(status(&[&format!("{url}{}", "y".repeat(20_000))]), "414");
    let file = folder.file("larger", "x".repeat(5 << 20));
    assert_eq!(status(&["--data-binary", &format!("@{file}"), &url]), "413");
    let told = server.stop();
    assert!(told.contains("after 2 requests"), "{told}");
}

#[test]
#[ignore = "needs Node; tests/run installs it"]
fn we_post_to_node_and_leave_both_ways() {
    let (mut node, port) = serving("news_server.js", &["poll"]);
    let url = format!("http://127.0.0.1:{port}/echo");
    let told = call("http", &url, &["hello", "grüße", "--ack", "--wait", "100ms"]);
    assert!(told.contains("heard, 5 bytes \"hello\"") && told.contains("\"grüße\""), "{told}");
    assert_eq!(told.matches("acknowledged: the response 200").count(), 2, "{told}");
    // Both on one connection, which ended in order.
    assert_eq!(told.matches("TCP connected").count(), 1);
    assert_eq!(node.says("end")["end"], "closed");
    let told = call("http", &url, &["hello", "--end", "abrupt", "--wait", "0s"]);
    assert!(told.contains("with a RST"), "{told}");
}

#[test]
#[ignore = "needs curl; tests/run installs it"]
fn curl_polls_and_is_answered_at_once() {
    let server = Server::start("poll", &[]);
    let news = server.url("http", "/news?client=me");
    let ask = |after: u32| curled(&[&STATUS[..], &[&format!("{news}&after={after}")]].concat());
    assert_eq!(ask(0), "\n204");
    assert_eq!(curled(&[&STATUS[..], &["--data", "hello", &news]].concat()), "\n204");
    assert_eq!(curled(&[&STATUS[..], &["--data-binary", "a\n\"b\"", &news]].concat()), "\n204");
    assert_eq!(ask(0), "[{\"id\":1,\"data\":\"hello\"},{\"id\":2,\"data\":\"a\\n\\\"b\\\"\"}]\n200");
    assert_eq!(ask(1), "[{\"id\":2,\"data\":\"a\\n\\\"b\\\"\"}]\n200");
    assert_eq!(ask(2), "\n204");
    // In an echo nobody else's words are heard.
    assert_eq!(curled(&[&STATUS[..], &[&server.url("http", "/news?after=0")]].concat()), "\n204");
    assert!(curled(&[&STATUS[..], &[&server.url("http", "/news?after=x")]].concat()).ends_with("\n400"));
    server.stop();
}

#[test]
#[ignore = "needs curl; tests/run installs it"]
fn a_long_poll_of_curl_is_held_until_there_is_something_to_say() {
    let mut server = Server::start("long-poll", &["--chat", "--beat", "10s"]);
    let news = server.url("http", "/news?after=0");
    let mut held = curl(&[&news]);
    server.tells("request GET /news?after=0");
    curled(&["--data", "hello", &server.url("http", "/news")]);
    assert_eq!(held.succeed().out, "[{\"id\":1,\"data\":\"hello\"}]");
    // Whoever is held when the server ends is answered.
    let mut held = curl(&[&STATUS[..], &[&server.url("http", "/news?after=1")]].concat());
    server.tells("request GET /news?after=1");
    server.stop();
    assert_eq!(held.succeed().out, "\n204");
    // Who waits for longer than the server holds is answered with nothing, and asks again.
    let server = Server::start("long-poll", &["--beat", "100ms"]);
    assert_eq!(curled(&[&STATUS[..], &[&server.url("http", "/news")]].concat()), "\n204");
    server.stop();
}

#[test]
#[ignore = "needs Node; tests/run installs it"]
fn we_poll_node_short_and_long_and_call_again_after_a_cut() {
    for (transport, more) in [("poll", &["--set", "every=20"][..]), ("long-poll", &[])] {
        let (mut node, port) = serving("news_server.js", &[transport]);
        let url = format!("http://127.0.0.1:{port}/news");
        let options = [&["--wait", "300ms", "--retry", "5", "--ack"], more].concat();
        let mut caller = Caller::start(transport, &url, &options);
        caller.process.write("hello\n");
        caller.tells("acknowledged: the response 204");
        caller.tells("heard, 5 bytes \"hello\"");
        assert_eq!(node.says("client")["path"], "/news");
        // Between two questions nobody would be told of a cut: the next one just makes a new connection.
        if transport == "long-poll" {
            caller.tells("&after=1");
        }
        // Others say something, the connections are cut, and something is said meanwhile.
        curled(&["--request", "POST", "--data", "", &format!("http://127.0.0.1:{port}/cut")]);
        if transport == "long-poll" {
            caller.tells("calls again");
        }
        curled(&["--data", "after the cut", &url]);
        caller.tells("heard, 13 bytes \"after the cut\"");
        let ended = caller.end();
        assert_eq!(ended.code, Some(0), "{}", ended.out);
        // What was heard before the cut is not heard again.
        assert_eq!(ended.out.matches("heard, 5 bytes \"hello\"").count(), 1, "{}", ended.out);
        assert!(ended.out.contains("ended: by us"), "{}", ended.out);
    }
}

#[test]
fn our_ends_poll_each_other_and_go_on_after_a_cut() {
    for (transport, more) in [("poll", &["--set", "every=20"][..]), ("long-poll", &[])] {
        let mut server = Server::start(transport, &["--chat"]);
        let cutter = Cutter::before(server.port);
        let url = format!("http://127.0.0.1:{}/news", cutter.port);
        let mut caller =
            Caller::start(transport, &url, &[&["--wait", "200ms", "--retry", "5"], more].concat());
        caller.process.write("one\n");
        caller.tells("heard, 3 bytes \"one\"");
        server.tells("heard, 3 bytes \"one\"");
        cutter.cut();
        // Somebody else speaks while it is away.
        call(transport, &server.url("http", "/news"), &["two", "--wait", "0s"]);
        caller.tells("heard, 3 bytes \"two\"");
        let ended = caller.end();
        assert_eq!(ended.code, Some(0), "{}", ended.out);
        server.stop();
    }
}

#[test]
fn without_retry_a_cut_is_an_error() {
    let server = Server::start("long-poll", &[]);
    let cutter = Cutter::before(server.port);
    let url = format!("http://127.0.0.1:{}/news", cutter.port);
    let mut caller = Caller::start("long-poll", &url, &[]);
    caller.process.write("one\n");
    caller.tells("heard, 3 bytes \"one\"");
    caller.tells("request GET");
    cutter.cut();
    let ended = caller.end();
    assert_eq!(ended.code, Some(1), "{}", ended.out);
    assert!(ended.out.contains("broken off"), "{}", ended.out);
    server.stop();
}
