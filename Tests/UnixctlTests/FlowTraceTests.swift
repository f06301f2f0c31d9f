import Testing

@testable import Unixctl

/// Texts that ovs-vswitchd 3.1.0 wrote, but for the names.
@Suite("ofproto/trace")
struct FlowTraceTests {
  @Test("a frame that a learnt port takes")
  func learnt() {
    let trace = FlowTrace(
      """
      Flow: icmp,in_port=vethA,vlan_tci=0x0000,dl_src=0a:58:c0:a8:07:02,dl_dst=0a:58:c0:a8:07:03

      bridge("OVS-1")
      ---------------
       0. priority 0
          NORMAL
           -> forwarding to learned port

      Final flow: unchanged
      Megaflow: recirc_id=0,eth,ip,in_port=vethA,dl_src=0a:58:c0:a8:07:02
      Datapath actions: vethB
      """)
    #expect(trace.blocks.count == 1)
    #expect(trace.blocks.first?.bridges == ["OVS-1"])
    #expect(trace.outputs == [.init(link: "vethB", tag: nil)])
    #expect(trace.remarks == ["forwarding to learned port"])
  }

  @Test("a flooded frame has the VLAN tag that it has at each link")
  func flooded() {
    let trace = FlowTrace(
      """
      Flow: arp,in_port=vethA

      bridge("OVS-1")
      ---------------
       0. priority 0
          NORMAL
           -> no learned MAC for destination, flooding
           >> Flow is between protected ports, skipping output.

      Final flow: unchanged
      Megaflow: recirc_id=0,eth,arp,in_port=vethA
      Datapath actions: push_vlan(vid=10,pcp=0),OVS-1,pop_vlan,"gw 10",push_vlan(tpid=0x88a8,vid=7,pcp=0),vethB
      """)
    #expect(
      trace.outputs == [
        .init(link: "OVS-1", tag: 10), .init(link: "gw 10", tag: nil), .init(link: "vethB", tag: 7),
      ])
    #expect(trace.remarks.contains("Flow is between protected ports, skipping output."))
  }

  @Test("a recirculation is a block of its own, and the last one decides")
  func recirculated() {
    let trace = FlowTrace(
      """
      Flow: icmp,in_port=vethA,vlan_tci=0x0000

      bridge("OVS-1")
      ---------------
       0. ip, priority 100
          ct(table=1)
          drop
           -> A clone of the packet is forked to recirculate. The forked pipeline will be resumed at table 1.

      Final flow: unchanged
      Megaflow: recirc_id=0,eth,ip,in_port=vethA,nw_frag=no
      Datapath actions: ct,recirc(0x4)

      ===============================================================================
      recirc(0x4) - resume conntrack with default ct_state=trk|new (use --ct-next to customize)
      ===============================================================================

      Flow: recirc_id=0x4,ct_state=new|trk,eth,icmp,in_port=vethA

      bridge("OVS-1")
      ---------------
          thaw
              Resuming from table 1
       1. No match.
          drop

      Final flow: unchanged
      Megaflow: recirc_id=0x4,ct_state=-inv,eth,ip,in_port=vethA
      Datapath actions: drop
      """)
    #expect(trace.blocks.count == 2)
    #expect(trace.outputs.isEmpty)
    #expect(trace.lastTable?.number == 1)
    #expect(trace.lastTable?.isMiss == true)
  }

  @Test("a translation that failed says why")
  func failed() {
    let trace = FlowTrace(
      """
      Flow: icmp,in_port=5

      bridge("br0")
      -------------
       0. in_port=5,icmp, priority 90, cookie 0x77
          drop

      Final flow: unchanged
      Megaflow: recirc_id=0
      Datapath actions: drop
      Translation failed (Forwarding is disabled), packet is dropped.
      """)
    #expect(trace.blocks.first?.failure == "Forwarding is disabled")
    #expect(trace.lastTable?.rule == "in_port=5,icmp, priority 90, cookie 0x77")
  }

  @Test(
    "a text that is no trace has no blocks, and none traps",
    arguments: [
      "", "\n", "bridge(\"", "Flow:", "Datapath actions: ", "Flow: \n -1. x\n    y", " 0. ",
    ])
  func odd(_ text: String) {
    #expect(FlowTrace(text).outputs.isEmpty)
  }

  @Test("any text at all is read without a trap")
  func anything() {
    var generator = SystemRandomNumberGenerator()
    let pieces = [
      "Flow: ", "bridge(\"", "\")", "Datapath actions: ", "push_vlan(", "pop_vlan", ",", ")", "\n",
      " 0. ", "    ", ">>", "->", "<<<<", "\"", "drop", "Translation failed (", "é",
      "99999999999. ",
    ]
    for _ in 0..<2_000 {
      var text = ""
      for _ in 0..<30 { text += pieces.randomElement(using: &generator) ?? "" }
      _ = FlowTrace(text).outputs
    }
  }
}
