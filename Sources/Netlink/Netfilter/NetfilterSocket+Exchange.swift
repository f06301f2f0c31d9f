internal import CLinux
internal import Linux

extension NetfilterSocket {
  /// Sends one request and has `reader` read what the kernel reports in messages of the type
  /// `answer`: one object, or a list, which is asked for again where it changed under way.
  func ask<Reader: NetfilterReader>(
    _ request: FilterRequest, _ message: FilterMessage, answer: UInt16, _ reader: inout Reader,
    until deadline: Deadline
  ) throws(FilterError) {
    while true {
      let sequence = socket.takeSequence(1)
      try send(message.bytes(sequence), request)
      let isList = message.flags & NLM_F_DUMP == NLM_F_DUMP
      if try read(request, sequence, answer, isList: isList, &reader, until: deadline) { return }
      if deadline.hasPassed { throw .timedOut(request) }
      reader.startAgain()
    }
  }

  /// Reads to the end of the answer; false if a list changed under way.
  private func read<Reader: NetfilterReader>(
    _ request: FilterRequest, _ sequence: UInt32, _ answer: UInt16, isList: Bool,
    _ reader: inout Reader, until deadline: Deadline
  ) throws(FilterError) -> Bool {
    var isWhole = true
    while true {
      var isEnd = false
      for message in try receive(request, until: deadline) where message.sequence == sequence {
        if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isWhole = false }
        switch message.type {
        case answer:
          do throws(NetlinkError) {
            try reader.read(message.body.dropFirst(FilterMessages.headerSize))
          } catch { throw .malformed(request, error) }
          if !isList { isEnd = true }
        case UInt16(NLMSG_ERROR), UInt16(NLMSG_DONE):
          if let refusal = try refusal(message, of: request) {
            // So the kernel says of some lists that they changed.
            guard isList, refusal.errno == .interrupted else { throw refusal }
            isWhole = false
          }
          isEnd = true
        default: break
        }
      }
      if isEnd { return isWhole }
    }
  }

  /// Returns when no transaction of the packet filter is under way in this namespace that was when
  /// it was called: the kernel does one after the other, and this is an empty one.
  public func waitForTransaction() throws(FilterError) {
    let sequence = socket.takeSequence(2)
    try send(
      FilterMessage.begin.bytes(sequence) + FilterMessage.end.bytes(sequence &+ 1),
      .waitForTransaction)
  }
}

/// What reads the objects that the kernel reports, without the header of nfnetlink.
protocol NetfilterReader {
  mutating func read(_ body: ArraySlice<UInt8>) throws(NetlinkError)
  /// What was read so far is out of date.
  mutating func startAgain()
}

/// All of them as they stand, for answers that are short.
struct WholeAnswer: NetfilterReader {
  private(set) var bodies: [ArraySlice<UInt8>] = []

  mutating func read(_ body: ArraySlice<UInt8>) throws(NetlinkError) { bodies.append(body) }
  mutating func startAgain() { bodies = [] }
}
