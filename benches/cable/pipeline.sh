# tcpdump, strace, ss and Python, as a person puts them together, in a network of their own: what crosses, what is called, and
# the states. `pipeline.sh FOLDER PYTHON SCRIPT once|polled`, inside of `unshare --net`.
set -e
cd "$1"
ip link set lo up
rm -f said calls pcap states
mkfifo said
tcpdump -Z root --immediate-mode -U -n -i lo -w pcap tcp port 7000 2>said &
tcpdump=$!
# It says when it listens.
exec 3<said
while read -r line <&3; do case $line in *listening*) break ;; esac; done
strace -f -e trace=network -o calls "$2" "$3" &
traced=$!
if [ "$4" = polled ]; then
    while kill -0 "$traced" 2>/dev/null; do ss -Htan >>states; done
fi
wait "$traced"
ss -Htan >>states
kill -INT "$tcpdump"
wait "$tcpdump"
