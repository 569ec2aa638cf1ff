import Canvas
import Engine
import Inquiry
import Language

/// A session as one HTML file that needs no network: the program's frames and keys, the events as text,
/// and without JavaScript, or on paper, the frames of the chapters.
///
/// The frames are compressed; the browser reads them by itself. A frame is the text of its rows, in which a
/// private scalar begins a style; an equals sign stands for a row as in the frame before. All text goes through
/// `Surface.escaped` or is put into the page as text by the script.
package struct Page {
  private let theme: Theme
  private var frames = Deflate()
  /// The rows of the last frame; empty before the first.
  private var rows: [[Unicode.Scalar]] = []
  private var events: [String] = []
  private var chapters: [String] = []
  /// Maximum number of frames in the page without JavaScript: more would be as long as a film.
  private static let chaptersAtMost = 16
  /// Styles in their order, each with its classes.
  private var styles: [Style] = []

  package init(theme: Theme) { self.theme = theme }

  /// Adds a frame.
  ///
  /// - Parameters:
  ///   - name: the moment in its typed form.
  ///   - statement: the event that led here; empty at the start.
  ///   - text: what happened, and why.
  package mutating func add(_ frame: Film.Frame, statement: String, text: String) {
    let previous = rows
    rows = (0..<frame.surface.height).map { row($0, of: frame.surface) }
    if !previous.isEmpty { frames.add("\u{C}".utf8) }
    for (y, row) in rows.enumerated() {
      var text = String.UnicodeScalarView()
      if y > 0 { text.append("\n") }
      text.append(contentsOf: y < previous.count && row == previous[y] ? ["="] : row)
      frames.add(String(text).utf8)
    }
    let name = frame.moment.name
    let statement = SafeText(statement)
    events.append(
      "<li id=e\(name)><a href=#\(name)>\(name)</a> <b>\(Surface.escaped(statement.string))</b>"
        + (frame.landmark.map { " <em>\(Surface.escaped($0.string))</em>" } ?? "")
        + "<p>\(Surface.escaped(text))")
    if frame.landmark != nil || chapters.isEmpty, chapters.count < Self.chaptersAtMost {
      let pre = (0..<frame.surface.height).map { frame.surface.htmlRow($0) + "\n" }.joined()
      chapters.append(
        "<h2>\(name) \(Surface.escaped((frame.landmark ?? statement).string))</h2><pre>\(pre)</pre>\n"
      )
    }
  }

  /// The page.
  ///
  /// - Parameter beat: milliseconds from one frame to the next.
  package mutating func html(title: SafeText, beat: Int) -> String {
    let classes = styles.map { "\"\($0.cssClasses)\"" }.joined(separator: ",")
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width">
      <title>\(Surface.escaped(title.string))</title><style>
      \(theme.css)\(Self.css)</style></head><body>
      <h1>\(Surface.escaped(title.string))</h1>
      <div id="film"><pre id="frame"></pre>
      <p id="bar"><button id="play">Play</button> <input id="time" type="range" min="0" value="0">
      <span id="where"></span> <input id="find" type="search" placeholder="/ find"></p>
      <p id="keys">. next, , back, [ ] chapters, 0-9 tenths, Space play, + - speed, / find</p></div>
      <section id="chapters">
      \(chapters.joined())</section>
      <ol id="events">
      \(events.joined())</ol>
      <script>
      const STYLES=[\(classes)],FRAMES="\(base64(frames.finish()))",BEAT=\(beat);
      \(Self.script)</script></body></html>

      """
  }

  /// The scalars of a row without trailing blanks, with one that names the style where it changes.
  private mutating func row(_ y: Int, of surface: Surface) -> [Unicode.Scalar] {
    var row: [Unicode.Scalar] = []
    for run in surface.styledRuns(inRow: y) {
      row.append(scalar(of: run.style))
      row += run.text.unicodeScalars
    }
    return row
  }

  private mutating func scalar(of style: Style) -> Unicode.Scalar {
    let index = styles.firstIndex(of: style) ?? styles.count
    if index == styles.count { styles.append(style) }
    return Unicode.Scalar(UInt32(0xE000 + index)) ?? "\u{E000}"
  }

  private static let css = """
    h1{font:bold 1.1em sans-serif;margin:.5em}
    h2{font:bold 1em sans-serif;margin:1em .5em .3em}
    #film{display:none;position:sticky;top:0;background:inherit}
    .js #film{display:block;background:var(--page)}.js #chapters{display:none}
    #frame{padding:0 .5em;overflow-x:auto}
    #bar,#keys{font:.9em sans-serif;margin:.4em .5em}
    #time{width:40%}
    #events{font:.95em sans-serif;list-style:none;margin:1em .5em;padding:0}
    #events li{padding:.2em .4em}#events p{margin:.1em 0 .3em 3em;white-space:pre-wrap}
    #events a{color:inherit}#events .now{outline:1px solid}
    .hidden{display:none}
    @media print{#film{display:none!important}#chapters{display:block!important}
    #chapters pre{break-inside:avoid;font-size:7pt}}

    """

  /// Reads the frames, shows one, and handles keys. A browser that cannot read them shows the page without a script.
  private static let script = """
    const body=document.body,pre=document.getElementById('frame'),bar=document.getElementById('time'),
    where=document.getElementById('where'),button=document.getElementById('play'),
    find=document.getElementById('find'),items=[...document.querySelectorAll('#events li')];
    const film=[];
    const marks=items.flatMap((li,i)=>li.querySelector('em')?[i]:[]);
    let now=0,timer=0,speed=1;
    function draw(row){const line=document.createDocumentFragment();let run=null;
      for(const c of row){const code=c.codePointAt(0);
        if(code>=0xE000&&code<0xF8FF){run=document.createElement('i');run.className=STYLES[code-0xE000];
          line.append(run);}
        else run.append(c);}
      return line;}
    function show(i,quiet){now=Math.max(0,Math.min(film.length-1,i));pre.replaceChildren();
      for(const row of film[now]){if(row)pre.append(draw(row));pre.append('\\n');}
      bar.value=now;const name=items[now].id.slice(1);where.textContent=name;
      for(const li of items)li.classList.toggle('now',li===items[now]);
      if(!quiet)history.replaceState(null,'','#'+name);}
    function play(on){clearInterval(timer);timer=on?setInterval(()=>{
      if(now+1>=film.length)play(false);else show(now+1);},BEAT/speed):0;
      button.textContent=on?'Pause':'Play';}
    function toHash(){const li=document.getElementById('e'+location.hash.slice(1));
      show(li?items.indexOf(li):0,true);}
    const keys={'.':()=>show(now+1),',':()=>show(now-1),' ':()=>play(!timer),
      ']':()=>show(marks.find(i=>i>now)??film.length-1),'[':()=>show(marks.findLast(i=>i<now)??0),
      '+':()=>{speed=Math.min(16,speed*2);if(timer)play(true);},
      '-':()=>{speed=Math.max(.25,speed/2);if(timer)play(true);},
      '/':()=>find.focus(),'?':()=>document.getElementById('keys').classList.toggle('hidden')};
    function press(e){if(e.target===find||e.ctrlKey||e.metaKey||e.altKey)return;
      const key=keys[e.key]||(/^[0-9]$/.test(e.key)?()=>show(Math.round((film.length-1)*e.key/10)):null);
      if(key){e.preventDefault();if(e.key!==' '&&e.key!=='+'&&e.key!=='-')play(false);key();}}
    find.addEventListener('input',()=>{const text=find.value.toLowerCase();
      for(const li of items)li.classList.toggle('hidden',!li.textContent.toLowerCase().includes(text));});
    bar.addEventListener('input',()=>{play(false);show(+bar.value);});
    button.addEventListener('click',()=>play(!timer));
    async function start(){
      const packed=new Blob([Uint8Array.from(atob(FRAMES),c=>c.charCodeAt(0))]),
      text=await new Response(packed.stream().pipeThrough(new DecompressionStream('deflate-raw'))).text();
      let rows=[];
      for(const frame of text.split('\\f')){
        rows=frame.split('\\n').map((row,y)=>row==='='?rows[y]:row);film.push(rows);}
      bar.max=film.length-1;body.classList.add('js');
      document.addEventListener('keydown',press);addEventListener('hashchange',toHash);toHash();}
    start();

    """
}
