import TestSupport
import Testing

@testable import patchbay

/// A false alarm is the worst that `trace` can do.
@Suite("trace, of the examples in conf", .privateHost)
struct ExampleTraceTests {
  @Test("says of each network what ping says, and doctor finds nothing")
  func agree() throws {
    let script = """
      export NETCONFPATH=$CONF CNI_PATH=$BIN
      patchbay() { $BIN/patchbay "$@"; }
      d=$(mktemp -d) && trap 'rm -rf "$d"' EXIT
      for file in "$CONF"/[1-6]*.conflist; do
        rm -rf $d/one && mkdir $d/one && cp "$file" $d/one
        export NETCONFPATH=$d/one
        name=$(jq -r .name "$file")
        patchbay netns add a b
        patchbay add "$name" a >/dev/null || echo "$name: no a"
        patchbay add "$name" b >/dev/null || echo "$name: no b"
        for family in -4 -6; do
          to=$(patchbay netns exec b ip -o $family address show dev eth0 scope global |
            awk '{split($4,a,"/"); print a[1]; exit}')
          [ -n "$to" ] || continue
          reaches=clear
          patchbay netns exec a ping -c1 -W2 $to >/dev/null || reaches=blocked
          verdict=$(patchbay trace a $to --json | jq -r .verdict)
          echo "$name $family $verdict"
          [ "$verdict" = $reaches ] || patchbay trace a $to
        done
        [ -n "$to" ] || [ -n "$(patchbay netns exec b ip -o -4 address show dev eth0)" ] ||
          echo "$name layer 2 $(patchbay trace a b --json | jq -r .verdict)"
        patchbay doctor --json | jq -r '.groups[].checks[] | select(.status == "fault") | .text'
        patchbay del "$name" a; patchbay del "$name" b; patchbay netns del a b
      done
      """
    let output = try Patchbay.play(
      script, environment: ["BIN": Plugin.directory, "CONF": Patchbay.configurations])
    let lines = output.stdout.split(separator: "\n").map(String.init)
    #expect(
      lines == [
        "ovs-1 -4 clear", "vlan-10 -4 clear", "vlan-10 -6 clear", "trunk layer 2 clear",
        "customer layer 2 clear", "layer-2 layer 2 clear", "limited -4 blocked",
        "mirrored -4 clear", "routed -4 clear", "routed -6 clear", "isolated -4 blocked",
      ], "\(output)")
  }
}
