/// An error that the kernel returns, by its number (include/uapi/asm-generic/errno.h), or that the RMM
/// returns, by its status code above 200.
public enum KernelError: UInt8, Error, CaseIterable, Sendable {
  case eperm = 1
  case enoent = 2
  case e2big = 7
  case eagain = 11
  case enomem = 12
  case efault = 14
  case ebusy = 16
  case eexist = 17
  case einval = 22
  case enospc = 28
  case erange = 34
  case ehwpoison = 133
  /// RMI_ERROR_INPUT: an operand, or the state of its granule, is invalid.
  case rmiInput = 201
  /// RMI_ERROR_RTT: the realm's table is not in the state that the call needs.
  case rmiTable = 204

  /// Its name, as the kernel writes it.
  public var name: String {
    switch self {
    case .eperm: "EPERM"
    case .enoent: "ENOENT"
    case .e2big: "E2BIG"
    case .eagain: "EAGAIN"
    case .enomem: "ENOMEM"
    case .efault: "EFAULT"
    case .ebusy: "EBUSY"
    case .eexist: "EEXIST"
    case .einval: "EINVAL"
    case .enospc: "ENOSPC"
    case .erange: "ERANGE"
    case .ehwpoison: "EHWPOISON"
    case .rmiInput: "RMI_ERROR_INPUT"
    case .rmiTable: "RMI_ERROR_RTT"
    }
  }
}

extension Machine {
  /// The error that the last event ended in, or nil; a vCPU's error is in its outcome.
  public var lastError: KernelError? {
    KernelError(rawValue: UInt8(truncatingIfNeeded: self[.lastError]))
  }

  /// Ends the event in an error. What it did is already undone, or stays as the kernel leaves it.
  ///
  /// - Parameter check: under pKVM, what refused.
  mutating func fail(
    _ error: KernelError, _ table: TableID? = nil, at address: UInt64 = 0, size: UInt64 = 0,
    by check: PKVMCheck? = nil
  ) {
    note(.end(.failed(error, by: check)), table, at: address, size: size)
    tally.error = error
  }
}
