import SardonyxGraph

/// The dictionary at the start of a .npy file: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
struct NumPyHeader {
    var dataType: DataType
    var isBigEndian: Bool
    var isFortranOrder: Bool
    var shape: [Int]

    /// Element types by numpy's kind and size in bytes. bfloat16, float8 and narrower types have no form of their own.
    private static let kinds: [(code: String, type: DataType)] = [
        ("b1", .bool), ("i1", .int8), ("i2", .int16), ("i4", .int32), ("i8", .int64), ("u1", .uint8), ("u2", .uint16),
        ("u4", .uint32), ("u8", .uint64), ("f2", .float16), ("f4", .float), ("f8", .double), ("c8", .complex64),
        ("c16", .complex128),
    ]

    /// The type as a file on this machine has it, such as `<f4`, or nil when numpy has no such type.
    static func descriptor(of type: DataType) -> String? {
        kinds.first { $0.type == type }.map { (type.byteCount == 1 ? "|" : "<") + $0.code }
    }

    /// The header's text, padded so that the data after it start at a multiple of 64 bytes, as numpy does it.
    static func text(_ type: String, _ shape: [Int], prefix: Int) -> String {
        let extents = shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
        let text = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(extents)), }"
        let padding = (64 - (prefix + text.utf8.count + 1) % 64) % 64
        return text + String(repeating: " ", count: padding) + "\n"
    }

    /// - Throws: `malformed` for a broken header, `unsupported` for types that ONNX does not have.
    init(parsing text: [UInt8]) throws(SardonyxError) {
        var literal = PythonLiteral(text)
        guard case .dictionary(let entries)? = literal.parseAll() else {
            throw SardonyxError(.malformed, "the .npy header is no dictionary")
        }
        func entry(_ name: String) throws(SardonyxError) -> PythonLiteral.Value {
            let found = entries.filter { $0.key == .text(name) }
            guard found.count == 1 else { throw SardonyxError(.malformed, "the .npy header has no single '\(name)'") }
            return found[0].value
        }
        guard entries.count == 3, case .flag(let isFortranOrder) = try entry("fortran_order"),
            case .list(let extents) = try entry("shape")
        else { throw SardonyxError(.malformed, "the .npy header lacks 'shape' or 'fortran_order', or has more") }
        let descriptor = try entry("descr")
        guard case .text(let name) = descriptor else {
            throw SardonyxError(.unsupported, "arrays of records (.npy with fields) are no tensors")
        }
        self.isFortranOrder = isFortranOrder
        var shape: [Int] = []
        for case .number(let extent) in extents where extent >= 0 { shape.append(extent) }
        guard shape.count == extents.count else { throw SardonyxError(.malformed, "the .npy header's shape is broken") }
        self.shape = shape
        let order = name.first.map { "<>|=".contains($0) ? $0 : "=" } ?? "="
        let code = "<>|=".contains(name.first ?? " ") ? String(name.dropFirst()) : name
        guard let type = Self.kinds.first(where: { $0.code == code })?.type else {
            let reason = code.hasPrefix("O") ? "pickled Python objects" : "numpy's type '\(name)'"
            throw SardonyxError(.unsupported, "\(reason) cannot be read; cast the array to a type that ONNX has")
        }
        guard order != "|" || type.byteCount == 1 else {
            throw SardonyxError(.malformed, "the .npy header gives no byte order for '\(name)'")
        }
        dataType = type
        isBigEndian = order == ">"
    }
}

/// A Python literal of the few kinds that a .npy header has.
struct PythonLiteral {
    enum Value: Equatable {
        case text(String)
        case number(Int)
        case flag(Bool)
        /// A tuple or a list.
        case list([Value])
        case dictionary([Entry])
    }
    struct Entry: Equatable {
        let key: Value
        let value: Value
    }

    private let bytes: [UInt8]
    private var position = 0
    private static let maximumDepth = 8

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The whole text's value, or nil when it is no literal.
    mutating func parseAll() -> Value? {
        guard let value = parse(depth: 0) else { return nil }
        skipSpace()
        return position == bytes.count ? value : nil
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func take(_ character: Character) -> Bool {
        skipSpace()
        guard next == character.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func parse(depth: Int) -> Value? {
        guard depth < Self.maximumDepth else { return nil }
        skipSpace()
        guard let byte = next else { return nil }
        switch Character(UnicodeScalar(byte)) {
        case "'", "\"": return text(endingAt: byte)
        case "(", "[": return list(depth)
        case "{": return dictionary(depth)
        case "0"..."9", "-": return number()
        default: break
        }
        for (word, value) in [("True", true), ("False", false)]
        where bytes[position...].starts(with: Array(word.utf8)) {
            position += word.utf8.count
            return .flag(value)
        }
        return nil
    }

    private mutating func text(endingAt quote: UInt8) -> Value? {
        let start = position + 1
        position = start
        while let byte = next, byte != quote {
            if byte == UInt8(ascii: "\\") { return nil }
            position += 1
        }
        guard next == quote else { return nil }
        position += 1
        return .text(String(decoding: bytes[start..<(position - 1)], as: UTF8.self))
    }

    private mutating func number() -> Value? {
        let start = position
        position += 1
        while let byte = next, byte >= 0x30, byte <= 0x39 { position += 1 }
        let value = Int(String(decoding: bytes[start..<position], as: UTF8.self))
        // Python 2 wrote long integers as 3L.
        if next == UInt8(ascii: "L") { position += 1 }
        return value.map(Value.number)
    }

    private mutating func list(_ depth: Int) -> Value? {
        let end: Character = next == UInt8(ascii: "(") ? ")" : "]"
        position += 1
        var values: [Value] = []
        while !take(end) {
            guard let value = parse(depth: depth + 1) else { return nil }
            values.append(value)
            if take(",") { continue }
            guard take(end) else { return nil }
            break
        }
        return .list(values)
    }

    private mutating func dictionary(_ depth: Int) -> Value? {
        position += 1
        var entries: [Entry] = []
        while !take("}") {
            guard let key = parse(depth: depth + 1), take(":"), let value = parse(depth: depth + 1) else { return nil }
            entries.append(Entry(key: key, value: value))
            if take(",") { continue }
            guard take("}") else { return nil }
            break
        }
        return .dictionary(entries)
    }
}
