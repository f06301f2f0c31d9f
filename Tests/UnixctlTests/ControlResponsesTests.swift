import Testing

@testable import Unixctl

@Suite("responses over a control socket")
struct ControlResponsesTests {
  @Test(
    "a response is found by its ID, whatever stands before it",
    arguments: [
      (#"{"id":1,"result":"3.1.0\n","error":null}"#, .text("3.1.0")),
      (#"{"id":1,"result":"3.4.0"}"#, .text("3.4.0")),
      (#"{"id":1,"error":"no such bridge\n"}"#, .refused("no such bridge")),
      (#"{"id":1,"error":{"a":1}}"#, .refused("without a reason")),
      (#"{"id":0,"result":"late"}{"id":1,"result":""}"#, .text("")),
      (#" {"id":null,"method":"x"} {"id":1,"result":"a"} "#, .text("a")),
      (#"{"id":1}"#, .malformed("it has neither \"result\" nor \"error\"")),
      (#"{"id":1,"result":7,"error":null}"#, .malformed("it has neither \"result\" nor \"error\"")),
      (#"{"id":1,"result":"\ud800"}"#, .malformed("it is not JSON")),
      (#"{"id":1,"result":"half"#, nil), (#"{"id":2,"result":"another"}"#, nil), ("", nil),
    ] as [(String, ControlResponses.Outcome?)])
  func outcomes(_ text: String, _ outcome: ControlResponses.Outcome?) {
    var whole = ControlResponses()
    whole.append(Array(text.utf8))
    #expect(whole.outcome(of: 1) == outcome)
    var pieces = ControlResponses()
    var found: ControlResponses.Outcome?
    for byte in text.utf8 where found == nil {
      pieces.append([byte])
      found = pieces.outcome(of: 1)
    }
    #expect(found == outcome)
  }

  @Test("a response of 64 KiB is taken, and one without end refused")
  func sizes() {
    var responses = ControlResponses()
    let long = String(repeating: "a", count: 1 << 16)
    responses.append(Array("{\"id\":7,\"result\":\"\(long)\"}".utf8))
    #expect(responses.outcome(of: 7) == .text(long))
    let endless = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
    responses.append(Array("{\"id\":8,\"result\":\"".utf8))
    var outcome: ControlResponses.Outcome?
    for _ in 0..<17 where outcome == nil {
      responses.append(endless)
      outcome = responses.outcome(of: 8)
    }
    #expect(outcome == .malformed("it has more than 16777216 bytes"))
  }
}
