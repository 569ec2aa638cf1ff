import Glibc
import Pseudoterminal
import Testing

/// What arrives from the terminal, and what becomes of it.
@Suite struct InputTests {
  static let sequences: [(String, String)] = [
    ("j", "j"), ("G", "G"), (" ", "space"), ("\r", "enter"), ("\n", "ctrl-j"), ("\t", "tab"),
    ("\u{7F}", "backspace"), ("\u{8}", "backspace"), ("\u{4}", "ctrl-d"), ("\u{F}", "ctrl-o"),
    ("\u{11}", "ctrl-q"), ("\u{13}", "ctrl-s"), ("\u{16}", "ctrl-v"), ("\u{19}", "ctrl-y"),
    ("\u{0}", "ctrl-space"), ("\u{1F}", "ctrl-_"), ("é", "é"), ("漢", "漢"), ("😀", "😀"),
    ("\u{1B}[A", "up"), ("\u{1B}OB", "down"), ("\u{1B}[1;2C", "shift-right"),
    ("\u{1B}[1;2D", "shift-left"), ("\u{1B}[1;5A", "ctrl-up"), ("\u{1B}[1;3B", "alt-down"),
    ("\u{1B}[1;8C", "ctrl-alt-shift-right"), ("\u{1B}[H", "home"), ("\u{1B}OH", "home"),
    ("\u{1B}[1~", "home"), ("\u{1B}[7~", "home"), ("\u{1B}[F", "end"), ("\u{1B}OF", "end"),
    ("\u{1B}[4~", "end"), ("\u{1B}[8~", "end"), ("\u{1B}[2~", "insert"), ("\u{1B}[3~", "delete"),
    ("\u{1B}[3;5~", "ctrl-delete"), ("\u{1B}[5~", "pageup"), ("\u{1B}[6~", "pagedown"),
    ("\u{1B}OP", "F1"), ("\u{1B}[11~", "F1"), ("\u{1B}[1;2P", "shift-F1"), ("\u{1B}[15~", "F5"),
    ("\u{1B}[24~", "F12"), ("\u{1B}x", "alt-x"), ("\u{1B}X", "alt-X"), ("\u{1B}é", "alt-é"),
    ("\u{1B}\u{1B}[A", "alt-up"),
  ]

  @Test(arguments: Job.types)
  func `keys have their names`(type: String) throws {
    let job = try Job(type: type)
    _ = try job.report()
    for (bytes, spelling) in Self.sequences where !bytes.contains("\0") {
      job.send(bytes)
      #expect(try job.report() == "key \(spelling)", "\(bytes.debugDescription) on \(type)")
    }
  }

  @Test(arguments: [
    ("\u{1B}[Z", "shift-tab"), ("\u{1B}[1;2A", "shift-up"), ("\u{1B}[1;2B", "shift-down"),
  ])
  func `keys of xterm have their names`(bytes: String, spelling: String) throws {
    let job = try Job()
    _ = try job.report()
    job.send(bytes)
    #expect(try job.report() == "key \(spelling)")
  }

  @Test func `keys of the Linux console have their names`() throws {
    let job = try Job(type: "linux")
    _ = try job.report()
    job.send("\u{1B}[[A")
    #expect(try job.report() == "key F1")
  }

  @Test func `escape alone is a key`() throws {
    let job = try Job()
    _ = try job.report()
    job.send("\u{1B}")
    #expect(try job.report() == "key escape")
    job.send("\u{1B}\u{1B}")
    #expect(try job.report() == "key escape")
    #expect(try job.report() == "key escape")
  }

  @Test(arguments: [
    "\u{1B}[99;99X", "\u{1B}[?62;c", "\u{1B}[1;1R", "\u{1B}[201~", "\u{1B}[I", "\u{1B}Oz",
    "\u{1B}[1;99A", "\u{1B}[<0;1;1m", "\u{1B}[>0;276;0c", "\u{1B}[E",
  ])
  func `unknown sequences are not taken for keys`(sequence: String) throws {
    let job = try Job(["--mouse"])
    _ = try job.report()
    job.send(sequence + "j")
    #expect(try job.report() == "key j")
  }

  @Test func `what is pasted is one input`() throws {
    let job = try Job()
    _ = try job.report()
    #expect(job.text.contains("\u{1B}[?2004h"))
    job.send("\u{1B}[200~l2 read 0x1000\rq\u{7F}é\u{1B}[201~j")
    #expect(try job.report() == "paste l2 read 0x1000|qé")
    #expect(try job.report() == "key j")
  }

  @Test func `a paste that comes in pieces is one input`() throws {
    let job = try Job()
    _ = try job.report()
    for piece in ["\u{1B}[200~ab", "cd\r", "ef\u{1B}[201~"] {
      job.send(piece)
      usleep(100_000)
    }
    #expect(try job.report() == "paste abcd|ef")
  }

  @Test func `a paste without an end is over when nothing more comes`() throws {
    let job = try Job()
    _ = try job.report()
    job.send("\u{1B}[200~q")
    #expect(try job.report() == "paste q")
    job.send("j")
    #expect(try job.report() == "key j")
  }

  @Test func `mouse is reported while it is on`() throws {
    let job = try Job()
    _ = try job.report()
    #expect(!job.text.contains("\u{1B}[?1000;1006h"))
    job.send("m")
    #expect(try job.report() == "key m")
    #expect(job.text.contains("\u{1B}[?1000;1006h"))
    let uses: [(String, [String])] = [
      ("\u{1B}[<0;5;3M\u{1B}[<0;5;3m", ["click 4,2"]), ("\u{1B}[<0;80;24M", ["click 79,23"]),
      ("\u{1B}[<0;1;1M\u{1B}[<0;1;1m\u{1B}[<0;1;1M", ["click 0,0", "doubleClick 0,0"]),
      ("\u{1B}[<64;1;1M", ["wheelUp 0,0"]), ("\u{1B}[<65;2;1M", ["wheelDown 1,0"]),
      ("\u{1B}[<2;5;3M\u{1B}[<2;5;3m\u{1B}[<35;6;3M\u{1B}[<65;2;1M", ["wheelDown 1,0"]),
      (
        "\u{1B}[<0;5;3M\u{1B}[<64;5;3M\u{1B}[<0;5;3m\u{1B}[<64;5;3M",
        ["click 4,2", "wheelUp 4,2", "wheelUp 4,2"]
      ),
      ("\u{1B}[M !\"\u{1B}[M#!\"\u{1B}[M`#!", ["click 0,1", "wheelUp 2,0"]),
      (
        "\u{1B}[<0;81;1M\u{1B}[<0;1;25M\u{1B}[<0;0;0M\u{1B}[<0;1M\u{1B}[<0;1;1;1M\u{1B}[<64;2;2M",
        ["wheelUp 1,1"]
      ),
    ]
    for (bytes, reports) in uses {
      job.send(bytes)
      for report in reports { #expect(try job.report() == "mouse \(report)") }
    }
    job.send("M")
    #expect(try job.report() == "key M")
    #expect(job.text.contains("\u{1B}[?1006;1000l"))
  }

  @Test func `a storm of resizes ends at the last size`() throws {
    let job = try Job()
    _ = try job.report()
    for step in 0..<2_000 { job.resize(width: 1 + step % 200, height: 1 + step % 60) }
    job.resize(width: 91, height: 29)
    var reports = 0
    while try job.report() != "resize 91x29" { reports += 1 }
    #expect(reports < 2_000)
    job.send("j")
    #expect(try job.report() == "key j")
  }

  @Test(arguments: [(1, 1), (1, 50), (300, 1), (2, 2), (500, 300)])
  func `any size is drawn`(width: Int, height: Int) throws {
    let job = try Job(width: width, height: height)
    #expect(try job.report().hasPrefix("open \(width)x\(height)"))
    job.send("j")
    #expect(try job.report() == "key j")
    job.resize(width: 80, height: 24)
    #expect(try job.report() == "resize 80x24")
    job.resize(width: width, height: height)
    #expect(try job.report() == "resize \(width)x\(height)")
  }

  @Test func `ticks while there is a timeout`() throws {
    let job = try Job()
    _ = try job.report()
    job.send("t")
    #expect(try job.report() == "key t")
    for _ in 0..<3 { #expect(try job.report() == "tick") }
  }
}
