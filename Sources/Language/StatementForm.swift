/// The shape of a statement that can stand at a moment, for completion and help.
public struct StatementForm: Sendable {
  /// Its words: keywords and options as they are written, operands in capitals.
  public let words: [String]

  private init(_ text: String) { words = text.split(separator: " ").map(String.init) }

  /// All forms, in the order of the language's description.
  public static let all: [StatementForm] = [
    "memslot ID IPA SIZE backing=4K", "memslot ID IPA SIZE backing=thp",
    "memslot ID IPA SIZE backing=hugetlb-1G", "step LABEL \"TEXT\"",
    "host write IPA SIZE", "host read IPA SIZE", "host discard IPA SIZE", "host unmap IPA SIZE",
    "host protect IPA SIZE r", "host protect IPA SIZE rw", "host hugepages IPA SIZE on",
    "host hugepages IPA SIZE off", "host collapse IPA SIZE", "host merge IPA SIZE", "host fork",
    "host idle IPA", "host test-idle IPA", "host dirty-log on IPA", "host dirty-log off IPA",
    "host dirty-log get IPA", "host eager-split SIZE", "host delete-memslot IPA",
    "host no-thp IPA SIZE",
    "l1 read IPA", "l1 write IPA value=V", "l1 exec IPA", "l1 store IPA V",
    "l1 context vttbr=V vtcr=V hcr=V", "l1 tlbi ipas2e1is NIPA ttl=G:L",
    "l1 tlbi ripas2e1is NIPA pages=N granule=4K", "l1 tlbi ripas2e1is NIPA pages=N granule=16K",
    "l1 tlbi ripas2e1is NIPA pages=N granule=64K", "l1 tlbi vmalls12e1is", "l1 tlbi alle1is",
    "l1 tlbi vmalle1is", "l1 vncr IPA", "l1 run", "l1 wait",
    "l2 read NIPA", "l2 write NIPA value=V", "l2 exec NIPA", "l2 tlbi vmalle1is",
    "other-vm N run cpu=C", "other-vm N wait", "other-vm N unmap IPA SIZE",
    "other-vm N attach", "other-vm N detach",
    "other-process N run", "other-process N unmap ADDRESS SIZE",
    "pkvm memory PA SIZE", "pkvm host read PA", "pkvm host write PA value=V", "pkvm host exec PA",
    "pkvm create guest protected", "pkvm create guest plain", "pkvm teardown guest",
    "pkvm guest read IPA", "pkvm guest write IPA value=V", "pkvm guest exec IPA",
    "pkvm share host hyp PA", "pkvm share host ffa PA SIZE",
    "pkvm share host guest PA SIZE IPA r", "pkvm share host guest PA SIZE IPA rw",
    "pkvm share guest host IPA", "pkvm unshare host hyp PA", "pkvm unshare host ffa PA SIZE",
    "pkvm unshare host guest IPA SIZE", "pkvm unshare guest host IPA",
    "pkvm donate host hyp PA SIZE", "pkvm donate hyp host PA SIZE", "pkvm donate host guest PA IPA",
    "pkvm reclaim guest IPA", "pkvm force-reclaim PA", "pkvm pin hyp PA", "pkvm unpin hyp PA",
    "pkvm pin host PA SIZE", "pkvm unpin host PA SIZE", "pkvm snapshot",
    "revmap fail N", "revmap fail-erase N", "pause at=ADDRESS", "resume next",
    "iommu attach", "iommu sva", "iommu detach", "iommu bypass", "iommu free",
    "iommu pin IPA SIZE", "iommu map IOVA SIZE PA r", "iommu map IOVA SIZE PA rw",
    "iommu unmap IOVA SIZE", "iommu clean IOVA SIZE", "dev read IOVA", "dev write IOVA",
    "rmp assign IPA SIZE 4K", "rmp assign IPA SIZE 2M", "rmp convert IPA SIZE shared",
    "rmp convert IPA SIZE private", "rmp smash IPA", "rmp hold IPA", "rmp release IPA",
    "realm delegate IPA SIZE", "realm undelegate IPA SIZE",
    "realm rtt-create IPA 1", "realm rtt-create IPA 2", "realm rtt-create IPA 3",
    "realm rtt-fold IPA 1", "realm rtt-fold IPA 2", "realm rtt-fold IPA 3",
    "realm rtt-destroy IPA 1", "realm rtt-destroy IPA 2", "realm rtt-destroy IPA 3",
    "realm data-create IPA", "realm data-destroy IPA", "realm ripas IPA SIZE empty",
    "realm ripas IPA SIZE ram",
  ].map { StatementForm($0) }

  /// The form as a line.
  public var text: String { words.joined(separator: " ") }

  /// The keyword, or the name of the option, that may follow words that were typed; nil if they are not
  /// the beginning of this form, or what follows is for a person to say.
  public func word(after typed: [String]) -> String? {
    guard typed.count < words.count, zip(typed, words).allSatisfy({ Self.fits($0, $1) }) else {
      return nil
    }
    let next = words[typed.count]
    if let equals = next.firstIndex(of: "="), Self.isOperand(next[next.index(after: equals)...]) {
      return String(next[...equals])
    }
    return Self.isOperand(next[...]) ? nil : next
  }

  /// Whether a typed word can be a word of the form.
  private static func fits(_ typed: String, _ word: String) -> Bool {
    if let equals = word.firstIndex(of: "=") { return typed.hasPrefix(word[...equals]) }
    // The vCPU may be said: l1@1.
    return isOperand(word[...]) || typed == word || typed.hasPrefix(word + "@")
  }

  private static func isOperand(_ word: Substring) -> Bool {
    word.first.map { $0.isUppercase || $0 == "\"" } ?? false
  }
}
