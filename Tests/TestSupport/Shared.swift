import Foundation
import Synchronization

/// Numbers from 1 on, each given once.
final class Counter: Sendable {
  private let last = Atomic<Int>(0)
  func next() -> Int { last.add(1, ordering: .relaxed).newValue }
}

/// A thread that lives as long as the process, and does what is asked of it, one after the other.
///
/// What is started with a parent-death signal is killed when the *thread* that started it ends
/// (PR_SET_PDEATHSIG in prctl(2)), and the threads that run tests come and go.
final class KeeperThread: @unchecked Sendable {
  static let shared = KeeperThread()
  private let condition = NSCondition()
  private var jobs: [() -> Void] = []

  private init() {
    Thread.detachNewThread { [self] in
      while true {
        condition.lock()
        while jobs.isEmpty { condition.wait() }
        let job = jobs.removeFirst()
        condition.unlock()
        job()
      }
    }
  }

  func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) throws -> T {
    let done = DispatchSemaphore(value: 0)
    let result = Mutex<Result<T, any Error>?>(nil)
    condition.lock()
    jobs.append {
      let answer = Result { try body() }
      result.withLock { $0 = answer }
      done.signal()
    }
    condition.signal()
    condition.unlock()
    done.wait()
    return try result.withLock { $0 }.unsafelyUnwrapped.get()
  }
}
