import Glibc
import Synchronization

/// Carries out long work, and reports its progress meanwhile.
///
/// - Parameter streams: whether the work prints while it runs, so that on a terminal the output itself
///   shows the progress.
func watching<Value>(
  _ progress: Progress, streams: Bool = false, _ work: (Progress) throws -> Value
) rethrows -> Value {
  let watch = Watch(progress, isTold: StatusLine.canBeShown(besideOutput: streams))
  defer { watch.end() }
  return try work(progress)
}

/// A thread beside the work that waits for ticks, and for signals that end the program.
///
/// It takes signals instead of a handler, because a thread can do what no handler may: wait until the
/// line being written is complete, remove the status, and report the progress. The work itself may be
/// inside an event that takes minutes, and need not check anything.
private final class Watch: Sendable {
  /// Signals that end the program. One that the parent ignores, as `nohup` does, stays ignored.
  private static let endings = [SIGINT, SIGTERM, SIGHUP, SIGQUIT].filter { !isIgnored($0) }
  /// The signal that wakes the thread when the work is done.
  private static let wake = SIGUSR1
  /// Time after which the progress is first shown, and its update period.
  private static let patience = Duration.seconds(1)
  private static let period = timespec(tv_sec: 0, tv_nsec: 250_000_000)
  /// Number of past counts for the rate: those of 5 seconds.
  private static let samplesAtMost = 20

  private let progress: Progress
  private let isTold: Bool
  private let start = ContinuousClock.now
  private let isOver = Atomic(false)
  private let signalsBefore: SignalSet
  private let thread = Mutex<pthread_t?>(nil)

  init(_ progress: Progress, isTold: Bool) {
    self.progress = progress
    self.isTold = isTold
    // For this thread and all that it starts, so that the watching one gets them. A broken pipe is
    // detected by the writer (`FileDescriptor.write`).
    signalsBefore = SignalSet(Self.endings + [Self.wake, SIGPIPE]).block()
    let watch = Unmanaged.passRetained(self)
    var thread = pthread_t()
    let error = pthread_create(
      &thread, nil,
      { watch in
        if let watch { Unmanaged<Watch>.fromOpaque(watch).takeRetainedValue().run() }
        return nil
      }, watch.toOpaque())
    if error == 0 {
      self.thread.withLock { $0 = thread }
    } else {
      // Nobody watches, so signals take their default action.
      watch.release()
      signalsBefore.restore()
    }
  }

  /// Stops watching, and removes the status.
  func end() {
    guard let thread = thread.withLock({ $0.take() }) else { return }
    isOver.store(true, ordering: .relaxed)
    pthread_kill(thread, Self.wake)
    pthread_join(thread, nil)
    StatusLine.shared.withLock { if $0.isShown { $0.remove() } }
    signalsBefore.restore()
  }

  private func run() {
    var samples: [(time: ContinuousClock.Instant, events: Int)] = []
    let signals = SignalSet(Self.endings + [Self.wake])
    while true {
      let signal = signals.wait(atMost: Self.period)
      if isOver.load(ordering: .relaxed) { return }
      if let signal { interrupt(by: signal) }
      guard isTold else { continue }
      let now = ContinuousClock.now
      samples.append((now, progress.eventsDone))
      if samples.count > Self.samplesAtMost { samples.removeFirst() }
      if now - start < Self.patience { continue }
      let seconds = (now - samples[0].time) / .seconds(1)
      let rate = seconds > 0 ? Double(progress.eventsDone - samples[0].events) / seconds : 0
      StatusLine.shared.withLock { $0.show(progress.line(rate: rate, columns: StatusLine.columns)) }
    }
  }

  /// Ends the program by a signal: after the line being written, unless nobody reads it.
  private func interrupt(by signal: Int32) -> Never {
    for _ in 0..<100 {
      // The lock is not released, so no other thread writes any more.
      _ = StatusLine.shared.withLockIfAvailable { line in
        if isTold { line.remove() }
        line.write(progress.whereInterrupted + "\n")
        endProgram(by: signal)
      }
      usleep(1_000)
    }
    endProgram(by: signal)
  }

  private static func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    sigaction(signal, nil, &action)
    // SIG_IGN, which is not a function.
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
  }
}

/// Ends the program by a signal, so that its parent sees the true cause.
private func endProgram(by signal: Int32) -> Never {
  _ = Glibc.signal(signal, SIG_DFL)
  _ = SignalSet([signal]).unblock()
  raise(signal)
  exit(128 + signal)
}

/// A set of signals, with operations on a thread's mask.
struct SignalSet: Sendable {
  private var set = sigset_t()

  init(_ signals: [Int32]) {
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal) }
  }

  /// Blocks them in this thread; returns the old mask.
  func block() -> SignalSet { changeMask(SIG_BLOCK) }
  /// Unblocks them in this thread, delivering pending ones at once; returns the old mask.
  func unblock() -> SignalSet { changeMask(SIG_UNBLOCK) }
  /// Sets this thread's mask to exactly these signals.
  func restore() { _ = changeMask(SIG_SETMASK) }

  private func changeMask(_ how: Int32) -> SignalSet {
    var before = SignalSet([])
    withUnsafePointer(to: set) { _ = pthread_sigmask(how, $0, &before.set) }
    return before
  }

  /// The next of the signals; nil if none comes in time.
  func wait(atMost time: timespec) -> Int32? {
    let signal = withUnsafePointer(to: set) { set in
      withUnsafePointer(to: time) { sigtimedwait(set, nil, $0) }
    }
    return signal > 0 ? signal : nil
  }
}
