import JSON
import Linux
import Testing

@testable import OVSDB
import OpenVSwitch

@Suite("Errors")
struct ErrorTests {
  static let endpoint = Endpoint.unix("/run/ovs/db.sock")

  static func refused(_ text: String, _ index: Int, _ operation: OperationName?) throws
    -> OVSDBError
  {
    .transactionRefused(
      TransactionRefusal(
        index: index, operation: operation, summary: "insert into Port, mutate Bridge",
        refusal: try #require(Refusal(try json(text)))))
  }

  @Test(
    "an error says what was attempted, why not, and what may have happened",
    arguments: [
      (
        .cannotConnect(
          endpoint, SystemError("connect", "/run/ovs/db.sock", .connectionRefused)),
        "connect(/run/ovs/db.sock): ECONNREFUSED (Connection refused); is ovsdb-server running?",
        false
      ),
      (
        .cannotConnect(
          endpoint, SystemError("connect", "/run/ovs/db.sock", .noSuchFileOrDirectory)),
        "connect(/run/ovs/db.sock): ENOENT (No such file or directory); is ovsdb-server running?",
        false
      ),
      (
        .cannotConnect(endpoint, SystemError("connect", "/run/ovs/db.sock", .accessDenied)),
        "connect(/run/ovs/db.sock): EACCES (Permission denied)", false
      ),
      (
        .cannotConnect(endpoint, SystemError("connect", "/run/ovs/db.sock", .timedOut)),
        "connect(/run/ovs/db.sock): ETIMEDOUT (Connection timed out); ovsdb-server at "
          + "unix:/run/ovs/db.sock does not accept connections", false
      ),
      (
        .connectionLost(endpoint, nil, waitingFor: "the answer to lock", effect: .none),
        "ovsdb-server at unix:/run/ovs/db.sock: waiting for the answer to lock: the server closed "
          + "the connection", false
      ),
      (
        .connectionLost(
          endpoint, SystemError("send", "socket", .connectionRefused),
          waitingFor: "the answer to transact (insert into Port)", effect: .possible),
        "ovsdb-server at unix:/run/ovs/db.sock: waiting for the answer to transact (insert into "
          + "Port): send(socket): ECONNREFUSED (Connection refused); the request may have taken effect",
        true
      ),
      (
        .deadlinePassed(
          endpoint, waitingFor: "a port", effect: .certain),
        "ovsdb-server at unix:/run/ovs/db.sock: waiting for a port: the deadline passed; the "
          + "transaction took effect", true
      ),
      (
        .protocolViolation(endpoint, "an answer to nothing that was asked"),
        "ovsdb-server at unix:/run/ovs/db.sock: not as RFC 7047 has it: an answer to nothing that "
          + "was asked", true
      ),
      (
        .uninitialized(endpoint),
        "ovsdb-server at unix:/run/ovs/db.sock: table Open_vSwitch has no row; "
          + "\"ovs-vsctl --no-wait init\" makes it", false
      ),
    ] as [(OVSDBError, String, Bool)])
  func sentences(_ error: OVSDBError, _ text: String, _ mayHaveTakenEffect: Bool) {
    #expect(error.description == text)
    #expect(error.mayHaveTakenEffect == mayHaveTakenEffect)
  }

  @Test("a refusal names the operation and has the server's words")
  func refusals() throws {
    let insert = OperationName(kind: .insert, table: "Port")
    let error = try Self.refused(
      #"{"error":"constraint violation","details":"5000 is not in the valid range"}"#, 0, insert)
    #expect(
      error.description
        == "insert into Port: constraint violation: 5000 is not in the valid range")
    #expect(error.isRefusal(.constraintViolation))
    #expect(!error.isRefusal(.timedOut))
    #expect(!error.mayHaveTakenEffect)
    #expect(
      try Self.refused(#"{"error":"aborted"}"#, 2, nil).description
        == "commit (insert into Port, mutate Bridge): aborted")
    let unknown = OVSDBError.requestRefused(
      method: "monitor", try #require(Refusal("unknown method")))
    #expect(unknown.description == "monitor: unknown method")
    #expect(unknown.isRefusal(.unknownMethod))
    #expect(Refusal(["details": "x"]) == nil)
  }

  @Test("a requirement knows by the error whether it was not met")
  func requirements() throws {
    var transaction = Transaction()
    transaction.append(.comment("first"))
    let required = transaction.require(.bridge, where: [])
    #expect(required.isUnmet(try Self.refused(#"{"error":"timed out"}"#, 1, nil)))
    #expect(!required.isUnmet(try Self.refused(#"{"error":"timed out"}"#, 0, nil)))
    #expect(!required.isUnmet(try Self.refused(#"{"error":"aborted"}"#, 1, nil)))
    #expect(!required.isUnmet(.uninitialized(Self.endpoint)))
  }
}
