import Glibc

/// An error in a memory image.
package struct ImageError: Error, Equatable, CustomStringConvertible {
  /// Offset in the file, in bytes; nil for the file as a whole.
  package let offset: UInt64?
  /// The data found, and the data expected.
  package let message: String

  package var description: String {
    offset.map { "at byte \($0): \(message)" } ?? message
  }

  init(_ message: String, at offset: UInt64? = nil) {
    self.message = message
    self.offset = offset
  }
}

/// Physical memory in a file: an ELF core as QEMU's `dump-guest-memory` writes it, or raw bytes from an
/// address on (`pmemsave`). Only requested parts are read.
package struct MemoryImage: ~Copyable {
  /// A piece of memory, and its place in the file.
  package struct Segment: Equatable, Sendable {
    /// Physical addresses.
    package let range: Range<UInt64>
    package let offset: UInt64
  }

  /// The memory that the file has, ascending.
  package let segments: [Segment]
  /// Number of bytes read so far.
  package private(set) var bytesRead: UInt64 = 0
  private let descriptor: Int32

  private static let segmentsAtMost: UInt64 = 1 << 16

  /// Opens an ELF core.
  package init(core path: String) throws(ImageError) {
    let descriptor = try Self.open(path)
    do {
      segments = try Self.segments(of: descriptor)
    } catch {
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
  }

  /// Opens raw memory.
  ///
  /// - Parameter base: the physical address of its first byte.
  package init(raw path: String, base: UInt64) throws(ImageError) {
    let descriptor = try Self.open(path)
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size > 0,
      !base.addingReportingOverflow(UInt64(status.st_size)).overflow
    else {
      close(descriptor)
      throw ImageError("a file without memory, or one that ends beyond 64 bits of addresses")
    }
    segments = [Segment(range: base..<base + UInt64(status.st_size), offset: 0)]
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  private static func open(_ path: String) throws(ImageError) -> Int32 {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 {
      throw ImageError("cannot be read: \(String(cString: strerror(errno)))")
    }
    return descriptor
  }

  /// 64-bit words of physical memory; nil if some of them are not in the file.
  ///
  /// - Parameter address: a multiple of 8.
  package mutating func words(at address: UInt64, count: Int) -> [UInt64]? {
    let size = UInt64(count) * 8
    guard let segment = segment(at: address), segment.range.upperBound - address >= size else {
      return nil
    }
    let offset = segment.offset + (address - segment.range.lowerBound)
    guard let bytes = Self.read(descriptor, at: offset, count: count * 8) else { return nil }
    bytesRead += size
    return (0..<count).map { Self.number(bytes, $0 * 8, 8) }
  }

  private func segment(at address: UInt64) -> Segment? {
    var low = 0
    var high = segments.count
    while low < high {
      let middle = (low + high) / 2
      if segments[middle].range.upperBound <= address { low = middle + 1 } else { high = middle }
    }
    return low < segments.count && segments[low].range.contains(address) ? segments[low] : nil
  }

  /// Bytes of the file; nil if it ends before.
  private static func read(_ descriptor: Int32, at offset: UInt64, count: Int) -> [UInt8]? {
    guard let start = off_t(exactly: offset) else { return nil }
    var done = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while done < count {
        let found = pread(
          descriptor, buffer.baseAddress.map { $0 + done }, count - done, start + off_t(done))
        if found < 0 && errno == EINTR { continue }
        if found <= 0 { break }
        done += found
      }
      initialized = done
    }
    return done == count ? bytes : nil
  }

  private static func number(_ bytes: [UInt8], _ place: Int, _ count: Int) -> UInt64 {
    (0..<count).reduce(0) { $0 | UInt64(bytes[place + $1]) << UInt64(8 * $1) }
  }

  /// The PT_LOAD segments of an ELF64 core, little-endian.
  private static func segments(of descriptor: Int32) throws(ImageError) -> [Segment] {
    guard let header = read(descriptor, at: 0, count: 64), Array(header[0..<4]) == elfMagic else {
      throw ImageError("no ELF file", at: 0)
    }
    guard header[4] == 2, header[5] == 1 else {
      throw ImageError("expected ELF64, little-endian", at: 4)
    }
    guard number(header, 16, 2) == 4 else {
      throw ImageError("expected a core (ET_CORE), as dump-guest-memory writes it", at: 16)
    }
    guard number(header, 18, 2) == 183 else {
      throw ImageError("expected the memory of an AArch64 machine", at: 18)
    }
    let place = number(header, 32, 8)
    let size = number(header, 54, 2)
    var count = number(header, 56, 2)
    guard size >= 56 else { throw ImageError("program headers of \(size) bytes", at: 54) }
    if count == 0xffff {
      // If there are more, the first section header has the number.
      let section = number(header, 40, 8)
      guard let bytes = read(descriptor, at: section, count: 64) else {
        throw ImageError("the file ends before its section headers", at: section)
      }
      count = number(bytes, 44, 4)
    }
    if count > segmentsAtMost {
      throw ImageError("\(count) program headers: expected at most \(segmentsAtMost)", at: 56)
    }
    var found: [Segment] = []
    for index in 0..<count {
      let (start, overflow) = place.addingReportingOverflow(index * size)
      guard !overflow, let bytes = read(descriptor, at: start, count: 56) else {
        throw ImageError("the file ends before program header \(index)", at: start)
      }
      guard number(bytes, 0, 4) == 1 else { continue }
      let physical = number(bytes, 24, 8)
      let length = number(bytes, 32, 8)
      let offset = number(bytes, 8, 8)
      let (end, isTooLarge) = physical.addingReportingOverflow(length)
      if isTooLarge || offset.addingReportingOverflow(length).overflow {
        throw ImageError("segment \(index) ends beyond 64 bits", at: start)
      }
      if length > 0 { found.append(Segment(range: physical..<end, offset: offset)) }
    }
    found.sort { $0.range.lowerBound < $1.range.lowerBound }
    for (one, other) in zip(found, found.dropFirst())
    where one.range.upperBound > other.range.lowerBound {
      throw ImageError(
        "two segments have the memory at 0x\(String(other.range.lowerBound, radix: 16))")
    }
    if found.isEmpty { throw ImageError("no memory in it: expected PT_LOAD segments") }
    return found
  }

  private static let elfMagic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]
}
