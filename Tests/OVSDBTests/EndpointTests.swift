import Addresses
import OVSDB
import Testing

@Suite("Endpoints")
struct EndpointTests {
  @Test(
    "an endpoint is read and prints itself",
    arguments: [
      ("unix:/run/openvswitch/db.sock", "unix:/run/openvswitch/db.sock"),
      ("/run/db.sock", "unix:/run/db.sock"),
      ("tcp:192.0.2.1:6641", "tcp:192.0.2.1:6641"),
      ("tcp:192.0.2.1", "tcp:192.0.2.1:6640"),
      ("tcp:[2001:db8:0::1]:6641", "tcp:[2001:db8::1]:6641"),
      ("tcp:[::1]", "tcp:[::1]:6640"),
    ])
  func parse(_ text: String, _ printed: String) throws {
    let endpoint = try Endpoint(text)
    #expect(endpoint.description == printed)
    #expect(try Endpoint(printed) == endpoint)
  }

  @Test(
    "what is no endpoint says why, and what is legal",
    arguments: [
      ("", "unix:/PATH, tcp:IP:PORT or tcp:[IPv6]:PORT is legal"),
      ("db.sock", "unix:/PATH, tcp:IP:PORT or tcp:[IPv6]:PORT is legal"),
      ("http://x", "unix:/PATH, tcp:IP:PORT or tcp:[IPv6]:PORT is legal"),
      ("unix:", "the path must be absolute, as in unix:/run/db.sock"),
      ("unix:db.sock", "the path must be absolute, as in unix:/run/db.sock"),
      ("ssl:192.0.2.1:6640", "only unix: and tcp: are supported, ssl: is not"),
      ("ptcp:6640", "ptcp: is where a server listens; name it as tcp: here"),
      ("punix:/x", "punix: is where a server listens; name it as unix: here"),
      (
        "tcp:localhost:6640",
        "\"localhost\" is not an IP address; names are not looked up, "
          + "unix:/PATH, tcp:IP:PORT or tcp:[IPv6]:PORT is legal"
      ),
      ("tcp:::1:6640", "an IPv6 address stands in brackets: tcp:[IPv6]:PORT"),
      ("tcp:[::1", "the \"[\" has no \"]\"; tcp:[IPv6]:PORT is legal"),
      ("tcp:[::1]6640", "\"]\" ends it or comes before \":PORT\""),
      ("tcp:[127.0.0.1]:1", "\"127.0.0.1\" is not an IPv6 address; tcp:IP:PORT is legal"),
      ("tcp:192.0.2.1:0", "port \"0\" is not in 1…65535"),
      ("tcp:192.0.2.1:65536", "port \"65536\" is not in 1…65535"),
      ("tcp:192.0.2.1:+1", "port \"+1\" is not in 1…65535"),
      ("tcp:192.0.2.1:", "port \"\" is not in 1…65535"),
    ])
  func refuse(_ text: String, _ reason: String) {
    let error = #expect(throws: OVSDBError.self) { try Endpoint(text) }
    #expect(error?.description == "\"\(text)\" is not an OVSDB endpoint: \(reason)")
    #expect(error?.mayHaveTakenEffect == false)
  }
}
