extension Lesson {
  /// A small proved lesson, as a start for authors; nil if its name is not an id.
  package static func skeleton(named name: String) -> String? {
    guard LessonReader.isID(name) else { return nil }
    return """
      # Lesson \(name)

      ~~~lesson
      id: \(name)
      ~~~

      ## What it is about

      A few sentences, at most 90 words. A **walk** is a term of the glossary; one new term a screen.

      ~~~notes
      What only a teacher sees, who presents the lesson: what to ask, and what many will answer.
      ~~~

      ~~~pw
      pagewalk 1
      vm ipa=40 vcpus=1 nested=off
      memslot 0 0x80000000 4M backing=4K
      ~~~

      ~~~ask choose first-access
      L1 reads a page that nobody has touched. What happens?
      > l1 read 0x80005000
      - KVM maps the page
        true: expect leaf canonical 0x80005000 4K
      - L1 gets an error
        true: expect error efault
        belief: fault-is-error
      hint: A first hint, that says where to look.
      hint: A second one, that says nearly all.
      after: What is said when the answer is known.
      ~~~

      ~~~ask count cost
      And how many leaves are made when L1 reads the page beside it?
      > l1 read 0x80006000
      answer: leaves-made
      belief: slot-is-mapped
      wrong: slot-is-mapped 0
      hint: Was that page ever touched?
      hint: Each page is mapped by the first access to it.
      after: One page, one leaf.
      ~~~

      """
  }
}
