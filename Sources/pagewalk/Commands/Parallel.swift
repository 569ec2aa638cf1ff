import Dispatch
import Synchronization

/// The results of a piece of work for each of `0 ..< count`, in order, with at most `jobs` running at the
/// same time, and no more than there are processors.
func inParallel<Value: Sendable>(
  _ count: Int, jobs: Int, _ work: @Sendable (Int) -> Value
) -> [Value] {
  let next = Atomic(0)
  let values = Mutex([Value?](repeating: nil, count: count))
  DispatchQueue.concurrentPerform(iterations: min(jobs, count)) { _ in
    while case let index = next.wrappingAdd(1, ordering: .relaxed).oldValue, index < count {
      let value = work(index)
      values.withLock { $0[index] = value }
    }
  }
  return values.withLock { $0.compactMap(\.self) }
}
