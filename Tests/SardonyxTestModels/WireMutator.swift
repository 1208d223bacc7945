/// Numbers that look random and are the same everywhere (SplitMix64).
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    package init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    package mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<max(limit, 1), using: &self) }
    package mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

/// A field of a protobuf message, read without its schema.
package struct WireField {
    package enum Content {
        case varint(UInt64)
        /// Four or eight bytes.
        case fixed([UInt8])
        case bytes([UInt8])
        case message([WireField])
    }
    package var number: UInt64
    package var content: Content

    /// The fields of bytes that are a message from end to end; nil when they are none.
    package static func parse(_ bytes: ArraySlice<UInt8>, depth: Int = 0) -> [WireField]? {
        var rest = bytes
        var fields: [WireField] = []
        func varint() -> UInt64? {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 64, by: 7) {
                guard let byte = rest.popFirst() else { return nil }
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
            }
            return nil
        }
        while !rest.isEmpty {
            guard let tag = varint(), tag >> 3 > 0, tag >> 3 < 64 else { return nil }
            switch tag & 7 {
            case 0:
                guard let value = varint() else { return nil }
                fields.append(WireField(number: tag >> 3, content: .varint(value)))
            case 1, 5:
                let count = tag & 7 == 1 ? 8 : 4
                guard rest.count >= count else { return nil }
                fields.append(WireField(number: tag >> 3, content: .fixed(Array(rest.prefix(count)))))
                rest = rest.dropFirst(count)
            case 2:
                guard let count = varint(), count <= UInt64(rest.count) else { return nil }
                let inner = rest.prefix(Int(count))
                rest = rest.dropFirst(Int(count))
                if !inner.isEmpty, depth < 60, let message = parse(inner, depth: depth + 1) {
                    fields.append(WireField(number: tag >> 3, content: .message(message)))
                } else {
                    fields.append(WireField(number: tag >> 3, content: .bytes(Array(inner))))
                }
            default: return nil
            }
        }
        return fields
    }

    package static func encode(_ fields: [WireField]) -> [UInt8] {
        var message = Message()
        for field in fields {
            switch field.content {
            case .varint(let value): message.int(Int(field.number), Int64(bitPattern: value))
            case .fixed(let bytes): message.fixed(Int(field.number), bytes)
            case .bytes(let bytes): message.data(Int(field.number), bytes)
            case .message(let fields): message.data(Int(field.number), encode(fields))
            }
        }
        return message.bytes
    }
}

/// Damages the bytes of a model: first as a tree of fields, so that lengths stay right and the damage reaches what reads
/// the fields, then as bytes.
package struct WireMutator {
    package var random: SeededGenerator
    private static let numbers: [Int64] = [
        0, 1, -1, 2, -2, 3, 7, 8, 64, 65, 100, 1000, 1 << 20, 1 << 31, (1 << 31) - 1, -(1 << 31), 1 << 33, 1 << 40,
        -(1 << 40), 1 << 62, .max, .min,
    ]
    private static let floats: [Float] = [0, -0.0, -1, 0.5, 1e30, -1e30, 1e-38, .nan, .infinity, -.infinity, 3e9, 1e19]

    package init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    /// A damaged copy of `bytes`; parts of `other` may come in.
    package mutating func damage(_ bytes: [UInt8], other: [UInt8]) -> [UInt8] {
        var result = bytes
        if random.chance(85), var fields = WireField.parse(bytes[...]) {
            let donor = WireField.parse(other[...]) ?? []
            for _ in 0..<(1 + random.below(3)) { editSomewhere(&fields, donor) }
            result = WireField.encode(fields)
            if random.chance(90) { return result }
        }
        for _ in 0..<(1 + random.below(4)) { damageBytes(&result, other) }
        return result
    }

    private mutating func damageBytes(_ bytes: inout [UInt8], _ other: [UInt8]) {
        guard !bytes.isEmpty else { return }
        let position = random.below(bytes.count)
        switch random.below(7) {
        case 0: bytes[position] ^= 1 << UInt8(random.below(8))
        case 1: bytes[position] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random)!
        case 2: bytes.removeLast(bytes.count - position)
        case 3:
            let count = min(1 + random.below(40), bytes.count - position)
            bytes.removeSubrange(position..<(position + count))
        case 4:
            let start = random.below(other.count)
            let part = other[start..<min(other.count, start + 1 + random.below(80))]
            bytes.insert(contentsOf: part, at: position)
        case 5:
            // As a length, two gigabytes or all there is.
            let length: [UInt8] =
                random.chance(50) ? [0xFF, 0xFF, 0xFF, 0xFF, 0x07] : [UInt8](repeating: 0xFF, count: 9) + [1]
            bytes.replaceSubrange(position...position, with: length)
        default:
            let count = min(1 + random.below(40), bytes.count - position)
            bytes.insert(contentsOf: bytes[position..<(position + count)], at: position)
        }
    }

    private static func count(_ fields: [WireField]) -> Int {
        fields.reduce(0) { if case .message(let inner) = $1.content { $0 + 1 + count(inner) } else { $0 + 1 } }
    }

    /// Edits one field out of all, at any depth.
    private mutating func editSomewhere(_ fields: inout [WireField], _ donor: [WireField]) {
        var position = random.below(Self.count(fields))
        _ = edit(&fields, &position, donor)
    }

    private mutating func edit(_ fields: inout [WireField], _ position: inout Int, _ donor: [WireField]) -> Bool {
        for index in fields.indices {
            if position == 0 {
                editField(&fields, index, donor)
                return true
            }
            position -= 1
            if case .message(var inner) = fields[index].content {
                let isDone = edit(&inner, &position, donor)
                fields[index].content = .message(inner)
                if isDone { return true }
            }
        }
        return false
    }

    private mutating func editField(_ fields: inout [WireField], _ index: Int, _ donor: [WireField]) {
        switch random.below(14) {
        case 0: fields.remove(at: index)
        case 1: fields.insert(fields[index], at: random.below(fields.count + 1))
        case 2: fields.swapAt(index, random.below(fields.count))
        case 3: fields[index].number = UInt64(1 + random.below(26))
        case 4:
            // A message in two parts is one message.
            guard case .message(let inner) = fields[index].content, inner.count > 1 else {
                return editValue(&fields[index])
            }
            let cut = 1 + random.below(inner.count - 1)
            fields[index].content = .message(Array(inner[..<cut]))
            fields.insert(
                WireField(number: fields[index].number, content: .message(Array(inner[cut...]))),
                at: random.below(fields.count + 1))
        case 5:
            // Another field's content of the same kind: a name for a name, a node for a node.
            let found = Self.all(random.chance(70) ? fields : donor).filter { $0.number == fields[index].number }
            if let replacement = found.randomElement(using: &random) { fields[index] = replacement }
        default: editValue(&fields[index])
        }
    }

    private static func all(_ fields: [WireField]) -> [WireField] {
        fields.flatMap { field -> [WireField] in
            if case .message(let inner) = field.content { [field] + all(inner) } else { [field] }
        }
    }

    private mutating func editValue(_ field: inout WireField) {
        switch field.content {
        case .varint(let value):
            switch random.below(4) {
            case 0: field.content = .varint(value &+ UInt64(bitPattern: Int64(random.below(5) - 2)))
            case 1: field.content = .varint(UInt64(random.below(30)))
            default: field.content = .varint(UInt64(bitPattern: Self.numbers.randomElement(using: &random)!))
            }
        case .fixed(var bytes):
            scribble(&bytes)
            field.content = .fixed(bytes)
        case .bytes(var bytes):
            switch random.below(4) {
            case 0: bytes.removeLast(random.below(bytes.count + 1))
            case 1: bytes += (0..<random.below(20)).map { UInt8($0) }
            default: scribble(&bytes)
            }
            field.content = .bytes(bytes)
        case .message(var inner):
            inner.shuffle(using: &random)
            field.content = .message(inner)
        }
    }

    /// Overwrites a number inside.
    private mutating func scribble(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        if bytes.count % 8 == 0, random.chance(50) {
            let number = Self.numbers.randomElement(using: &random)!
            let at = 8 * random.below(bytes.count / 8)
            withUnsafeBytes(of: number.littleEndian) { bytes.replaceSubrange(at..<(at + 8), with: $0) }
        } else if bytes.count % 4 == 0, random.chance(60) {
            let number = Self.floats.randomElement(using: &random)!
            let at = 4 * random.below(bytes.count / 4)
            withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes.replaceSubrange(at..<(at + 4), with: $0) }
        } else {
            bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
        }
    }
}
