import Engine
import TestSupport
import Testing

@testable import Language

/// A device that walks KVM's own table of a VM.
@Suite struct SharedTableTests {
  /// L1 and a stalling device use two pages that are 1 GiB apart, and the next event that can be paused is.
  private static let pausing = """
    policy iommu=shared
    policy iommu-fault=stall
    memslot 0 0x80000000 3G backing=4K
    iommu attach
    l1 write 0x80000000
    l1 write 0xc0000000
    pause
    """

  @Test func `a device waits for an event that holds what its fault needs`() throws {
    let session = try session(
      """
      \(Self.pausing)
      host protect 0x80000000 3G r
      dev read 0x80000000
      expect dma stalled
      dev read 0xc0000000
      expect dma pa=0x800401000 walked
      resume
      dev read 0xc0000000
      expect dma pa=0x800401000 walked
      dev write 0xc0000000
      expect dma fault=permission
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
  }

  /// munmap takes its VMAs out of the tree, and leaves the lock to readers, before anything is unmapped.
  @Test func `a device's fault on memory that is being unmapped finds no VMA`() throws {
    let session = try session(
      """
      \(Self.pausing)
      host unmap 0x80000000 3G
      dev read 0x80000000
      expect dma fault=translation
      dev read 0xc0000000
      expect dma pa=0x800401000 walked
      resume
      dev read 0xc0000000
      expect dma fault=translation
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
  }

  /// The invalidation never reaches the SMMU, so the leaf that forbids the write stays cached.
  @Test func `a device that finds nothing new goes on waiting`() throws {
    let session = try session(
      """
      policy iommu=shared
      policy iommu-fault=stall
      policy iommu-sync=off
      memslot 0 0x80000000 64K backing=4K
      iommu attach
      l1 write 0x80000000
      host dirty-log on 0x80000000
      dev read 0x80000000
      dev write 0x80000000
      expect dma stalled
      expect leaf canonical 0x80000000 4K
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
  }

  @Test func `what two devices have pinned stays until both let go, and is one page`() throws {
    let session = try session(
      """
      policy iommu=shared
      policy iommu-fault=pin
      memslot 0 0x80000000 64K backing=4K
      iommu attach
      iommu@1 attach own
      iommu pin 0x80000000 8K
      host discard 0x80000000 64K
      iommu@1 pin 0x80001000 4K
      dev write 0x80001000
      expect dma pa=0x800401000
      dev@1 read 0x80001000
      expect dma pa=0x800401000
      iommu unmap 0x80001000 4K
      expect error enoent
      iommu unmap 0x80000000 8K
      expect leaf canonical 0x80000000 none
      expect leaf canonical 0x80001000 4K
      expect violation none
      host discard 0x80000000 64K
      dev@1 read 0x80001000
      expect dma pa=0x800401000
      iommu@1 detach
      iommu@1 free
      expect leaf canonical 0x80001000 none
      expect violation none
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
  }

  @Test func `a page cannot be pinned while an invalidation is under way`() throws {
    let session = try session(
      """
      policy iommu=shared
      policy iommu-fault=pin
      memslot 0 0x80000000 3G backing=4K
      l1 write 0x80000000
      pause
      host discard 0x80000000 3G
      iommu pin 0x80000000 8K
      expect error eagain
      resume
      iommu pin 0x80000000 8K
      expect error enoent
      """)
    #expect(session.failures.count == 1, "\(session.failures)")
    #expect(session.timeline.machine.pinnedPage(at: 0x8000_1000, device: 0) != nil)
  }

  @Test func `a pin that fails gives back what notifiers passed over while it was paused`() throws {
    let session = try session(
      """
      policy iommu=shared
      policy iommu-fault=pin
      memslot 0 0x80000000 32K backing=4K
      host protect 0x80004000 4K r
      l1 write 0x80001000
      pause at=0x80003000
      iommu pin 0x80000000 32K
      host discard 0x80000000 16K
      expect leaf canonical 0x80001000 4K
      expect violation none
      resume
      expect error efault
      expect leaf canonical 0x80001000 none
      expect violation none
      """)
    #expect(session.failures.isEmpty, "\(session.failures)")
  }

  @Test func `without pinning nothing can be mapped in a table that is the CPUs'`() {
    for policy in ["abort", "stall"] {
      #expect(throws: ScenarioError.self) {
        try session(
          "policy iommu=shared\npolicy iommu-fault=\(policy)\nmemslot 0 0 4K backing=4K\niommu pin 0 4K"
        )
      }
    }
    #expect(throws: ScenarioError.self) {
      try session("policy iommu=shared\npolicy iommu-fault=pin\niommu map 0 4K 0x900000000 rw")
    }
  }
}
