extension JSON {
    /// The value that a text states, or nil when it is no JSON.
    package init?(parsing text: String) {
        var parser = Parser(bytes: Array(text.utf8))
        guard let value = parser.parseAll() else { return nil }
        self = value
    }

    private struct Parser {
        let bytes: [UInt8]
        var position = 0
        static let maximumDepth = 100

        var next: UInt8? { position < bytes.count ? bytes[position] : nil }

        mutating func parseAll() -> JSON? {
            guard let value = parse(depth: 0) else { return nil }
            skipSpace()
            return position == bytes.count ? value : nil
        }

        mutating func skipSpace() {
            while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
        }

        mutating func take(_ character: Character) -> Bool {
            skipSpace()
            guard let byte = next, byte == character.asciiValue else { return false }
            position += 1
            return true
        }

        mutating func parse(depth: Int) -> JSON? {
            guard depth < Self.maximumDepth else { return nil }
            skipSpace()
            guard let byte = next else { return nil }
            switch byte {
            case UInt8(ascii: "{"): return object(depth)
            case UInt8(ascii: "["): return array(depth)
            case UInt8(ascii: "\""): return string().map(JSON.string)
            case UInt8(ascii: "-"), 0x30...0x39: return number()
            default: break
            }
            for (word, value) in [("null", JSON.null), ("true", .bool(true)), ("false", .bool(false))]
            where bytes[position...].starts(with: Array(word.utf8)) {
                position += word.utf8.count
                return value
            }
            return nil
        }

        mutating func number() -> JSON? {
            let start = position
            while let byte = next, (0x30...0x39).contains(byte) || Array("+-.eE".utf8).contains(byte) { position += 1 }
            let text = String(decoding: bytes[start..<position], as: UTF8.self)
            if let value = Int(text) { return .int(value) }
            return Double(text).map(JSON.number)
        }

        mutating func string() -> String? {
            position += 1
            var result: [UInt8] = []
            while let byte = next {
                position += 1
                if byte == UInt8(ascii: "\"") { return String(decoding: result, as: UTF8.self) }
                guard byte == UInt8(ascii: "\\") else {
                    result.append(byte)
                    continue
                }
                guard let escape = next else { return nil }
                position += 1
                switch escape {
                case UInt8(ascii: "n"): result.append(0x0A)
                case UInt8(ascii: "t"): result.append(0x09)
                case UInt8(ascii: "r"): result.append(0x0D)
                case UInt8(ascii: "b"): result.append(0x08)
                case UInt8(ascii: "f"): result.append(0x0C)
                case UInt8(ascii: "u"):
                    guard let scalar = unicode() else { return nil }
                    result += Array(String(Character(scalar)).utf8)
                default: result.append(escape)
                }
            }
            return nil
        }

        /// The scalar of `\uXXXX`, or of two of them that are a surrogate pair.
        mutating func unicode() -> Unicode.Scalar? {
            guard let first = hexadecimal() else { return nil }
            guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) }
            guard take("\\"), take("u"), let second = hexadecimal(), (0xDC00..<0xE000).contains(second) else {
                return nil
            }
            return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        }

        mutating func hexadecimal() -> UInt32? {
            guard position + 4 <= bytes.count else { return nil }
            defer { position += 4 }
            return UInt32(String(decoding: bytes[position..<(position + 4)], as: UTF8.self), radix: 16)
        }

        mutating func array(_ depth: Int) -> JSON? {
            position += 1
            var values: [JSON] = []
            if take("]") { return .array([]) }
            repeat {
                guard let value = parse(depth: depth + 1) else { return nil }
                values.append(value)
            } while take(",")
            return take("]") ? .array(values) : nil
        }

        mutating func object(_ depth: Int) -> JSON? {
            position += 1
            var entries: [(key: String, value: JSON)] = []
            if take("}") { return .object([]) }
            repeat {
                skipSpace()
                guard next == UInt8(ascii: "\""), let key = string(), take(":"), let value = parse(depth: depth + 1)
                else { return nil }
                entries.append((key, value))
            } while take(",")
            return take("}") ? .object(entries) : nil
        }
    }
}
