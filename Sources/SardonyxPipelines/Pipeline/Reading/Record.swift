/// Reads a tree's fields and gathers everything that is wrong.
final class TreeReader {
    var problems: [PipelineError.Problem] = []
    /// Fields that are there under a wrong name.
    var misspelt: [String] = []
    /// The value of each field that was read.
    private(set) var places: [String: Tree] = [:]

    /// Nobody reads more; and texts made to have millions end soon.
    var isFull: Bool { problems.count >= 100 }

    func add(_ tree: Tree, _ field: String, _ problem: String, _ remedy: String = "") {
        if isFull { return }
        problems.append(
            .init(
                file: tree.path, line: tree.line, column: tree.column, field: field, problem: problem, remedy: remedy))
    }

    func note(_ tree: Tree, at field: String) { places[field] = tree }

    /// Adds problems of the value as a whole: each at the nearest field that the text has, none where the text itself
    /// was found wrong.
    func add(_ found: [PipelineError.Problem]) {
        let wrong = problems.map(\.field) + misspelt
        for var problem in found.prefix(100) {
            let field = problem.field
            guard !wrong.contains(where: { TreeReader.isInside(field, $0) || TreeReader.isInside($0, field) }) else {
                continue
            }
            var place = field[...]
            while places[String(place)] == nil, !place.isEmpty {
                place = place.lastIndex { $0 == "." || $0 == "[" }.map { place[..<$0] } ?? ""
            }
            let tree = places[String(place)]
            (problem.file, problem.line, problem.column) = (tree?.path, tree?.line, tree?.column)
            problems.append(problem)
        }
    }

    private static func isInside(_ field: String, _ outer: String) -> Bool {
        guard field.hasPrefix(outer), !outer.isEmpty else { return false }
        let next = field.dropFirst(outer.count).first
        return next == nil || next == "." || next == "["
    }
}

/// One value and where it stands.
struct Field {
    let tree: Tree
    let path: String
    let reader: TreeReader

    init(_ tree: Tree, _ path: String, _ reader: TreeReader) {
        self.tree = tree
        self.path = path
        self.reader = reader
        reader.note(tree, at: path)
    }

    func fail(_ expected: String, _ remedy: String = "") {
        reader.add(tree, path, "\(tree.found) was found, \(expected) was expected", remedy)
    }

    private func expect<T>(_ value: T?, _ expected: String, _ remedy: String = "") -> T? {
        if value == nil { fail(expected, remedy) }
        return value
    }

    func string() -> String? { expect(tree.text, "text") }
    func number() -> Double? { expect(tree.number, "a number") }
    func integer() -> Int? { expect(tree.integer, "a whole number") }
    func flag() -> Bool? { expect(tree.flag, "true or false") }

    func choice<T: RawRepresentable & CaseIterable>(_: T.Type) -> T? where T.RawValue == String {
        let names = T.allCases.map(\.rawValue)
        if let text = tree.text, let value = T(rawValue: text) { return value }
        fail(
            Field.either(names),
            tree.text.flatMap { Field.nearest($0, in: names) }.map { "did you mean '\($0)'?" } ?? "")
        return nil
    }

    func list<T>(_ read: (Field) -> T?) -> [T]? {
        guard let trees = expect(tree.list, "a list", "write [ … ] or a line with '- ' for each") else { return nil }
        let values = trees.indices.map { read(Field(trees[$0], "\(path)[\($0)]", reader)) }
        return values.contains { $0 == nil } ? nil : values.compactMap { $0 }
    }

    func record<T>(_ read: (Record) -> T?) -> T? {
        guard tree.map != nil else {
            fail("a mapping", "write 'name: value' lines")
            return nil
        }
        let record = Record(self)
        let value = read(record)
        record.close()
        return value
    }

    /// A step or a form with its values: `fill_holes`, or `clip: {low: 0}`.
    func variant<T>(_ names: [String], _ read: (_ name: String, _ record: Record) -> T?) -> T? {
        var name = tree
        var values: Tree?
        if let map = tree.map, map.count == 1 { (name, values) = map[0] }
        guard let text = name.text, names.contains(text) else {
            let near = name.text.flatMap { Field.nearest($0, in: names) }.map { "did you mean '\($0)'?" }
            reader.add(
                name, path, "\(name.found) was found, \(Field.either(names)) was expected",
                near ?? (tree.map == nil ? "" : "write one name, a colon and its values in { }"))
            return nil
        }
        var body = values ?? tree
        if values == nil || body.isNull { body.content = .map([]) }
        return Field(body, "\(path).\(text)", reader).record { read(text, $0) }
    }

    static func either(_ names: [String]) -> String {
        guard let last = names.last, names.count > 1 else { return names.first ?? "" }
        return names.dropLast().joined(separator: ", ") + " or " + last
    }

    /// The name that fewest changes of letters lead to, when they are few.
    static func nearest(_ word: String, in names: [String]) -> String? {
        let word = Array(word.lowercased().utf8.prefix(40))
        let best = names.map { ($0, distance(word, Array($0.lowercased().utf8))) }.min { $0.1 < $1.1 }
        guard let best, best.1 <= max(2, best.0.utf8.count / 3) else { return nil }
        return best.0
    }

    /// Letters added, left out and changed between two words.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
                diagonal = above
            }
        }
        return row[b.count]
    }
}

/// A mapping that is read field by field; what nobody asked for is a problem.
final class Record {
    private let field: Field
    private var known: [String] = []
    private var missing: [(key: String, example: String)] = []

    init(_ field: Field) { self.field = field }

    var path: String { field.path }

    private func path(_ key: String) -> String { field.path.isEmpty ? key : "\(field.path).\(key)" }

    /// A value that may be missing (or null), then `nil`; wrong ones give `nil` too, with a problem.
    func optional<T>(_ key: String, _ read: (Field) -> T?) -> T? {
        known.append(key)
        return field.tree[key].flatMap { read(Field($0, path(key), field.reader)) }
    }

    /// The fields that are there, in the file's order.
    var keys: [String] { (field.tree.map ?? []).compactMap(\.key.text) }

    /// Makes a field known that is read only where it is there.
    func expect(_ key: String) { known.append(key) }

    func has(_ key: String) -> Bool { field.tree[key] != nil }

    /// A value that has a default.
    func value<T>(_ key: String, or standard: T, _ read: (Field) -> T?) -> T { optional(key, read) ?? standard }

    /// A value that must be there; `standard` stands in so that reading goes on.
    func required<T>(_ key: String, _ example: String, or standard: T, _ read: (Field) -> T?) -> T {
        if field.tree[key] == nil { missing.append((key, example)) }
        return value(key, or: standard, read)
    }

    /// Problems for fields that are not known, or missing.
    func close() {
        let absent = known.filter { self.field.tree[$0] == nil }
        for (key, _) in field.tree.map ?? [] where !known.contains(key.text ?? "") {
            if field.reader.isFull { return }
            let name = key.text ?? ""
            let near = Field.nearest(name, in: absent)
            if let near { field.reader.misspelt.append(path(near)) }
            missing.removeAll { $0.key == near }
            field.reader.add(
                key, path(name), "there is no such field",
                near.map { "did you mean '\($0)'?" }
                    ?? (known.isEmpty ? "remove it" : "the fields here are \(known.joined(separator: ", "))"))
        }
        for (key, example) in missing {
            field.reader.add(field.tree, path(key), "the field is missing", "add '\(key): \(example)'")
        }
    }

    /// A problem with the mapping as a whole.
    func fail(_ problem: String, _ remedy: String) { field.reader.add(field.tree, field.path, problem, remedy) }
}
