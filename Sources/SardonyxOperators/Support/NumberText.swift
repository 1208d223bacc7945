import SardonyxGraph

/// Numbers as texts and back, as ONNX's Cast has it.
enum NumberText {
    /// The shortest digits that give the number back, in numpy's form: plain from 0.0001 to below `plainLimit`, else
    /// with an exponent.
    private static func text(_ shortest: String, magnitude: Double, plainLimit: Double) -> String {
        if magnitude.isNaN { return "nan" }
        if magnitude.isInfinite { return shortest.hasPrefix("-") ? "-inf" : "inf" }
        let sign = shortest.hasPrefix("-") ? "-" : ""
        let (digits, exponent) = decimal(shortest)
        if magnitude == 0 { return sign + "0.0" }
        if magnitude >= 1e-4, magnitude < plainLimit {
            return sign + plain(digits, exponent)
        }
        let fraction = digits.dropFirst()
        let power = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
        return sign + String(digits.prefix(1)) + (fraction.isEmpty ? "" : "." + fraction)
            + "e" + (exponent < 0 ? "-" : "+") + power
    }

    /// The significant digits, and the power of ten of the first of them.
    private static func decimal(_ shortest: String) -> (digits: String, exponent: Int) {
        let parts = shortest.drop { $0 == "-" }.split(separator: "e")
        let number = parts.first ?? "0"
        var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let halves = number.split(separator: ".", omittingEmptySubsequences: false)
        let whole = halves[0]
        let digits = whole + (halves.count > 1 ? halves[1] : "")
        exponent += whole.count - 1
        let significant = digits.drop { $0 == "0" }
        exponent -= digits.count - significant.count
        let end = significant.lastIndex { $0 != "0" }.map(significant.index(after:)) ?? significant.startIndex
        return (String(significant[..<end]), exponent)
    }

    private static func plain(_ digits: String, _ exponent: Int) -> String {
        if exponent < 0 { return "0." + String(repeating: "0", count: -exponent - 1) + digits }
        let whole = digits.prefix(exponent + 1)
        let padding = String(repeating: "0", count: max(0, exponent + 1 - digits.count))
        let fraction = digits.dropFirst(exponent + 1)
        return whole + padding + "." + (fraction.isEmpty ? "0" : fraction)
    }

    static func text(_ value: Double) -> String {
        text(value.description, magnitude: value.magnitude, plainLimit: 1e16)
    }

    static func text(_ value: Float) -> String {
        text(value.description, magnitude: Double(value.magnitude), plainLimit: 1e6)
    }

    /// A 16-bit number: the fewest digits that give it back.
    private static func text<T: NarrowReal>(_ value: T, plainLimit: Double) -> String {
        let number = value.double
        var shortest = number.description
        if number.isFinite, number != 0 {
            let (digits, exponent) = decimal(shortest)
            // Seven digits tell all floats of 16 bits apart.
            for count in 1..<min(8, digits.count) {
                let scale = Double.pow(10, Double(count - 1 - exponent))
                let candidate = (number * scale).rounded(.toNearestOrEven) / scale
                if T.converting(candidate).bitPattern == value.bitPattern {
                    shortest = candidate.description
                    break
                }
            }
        }
        return text(shortest, magnitude: number.magnitude, plainLimit: plainLimit)
    }

    /// The elements of a tensor of numbers or truth values as texts.
    static func texts(of tensor: Tensor) throws -> [String] {
        switch tensor.dataType {
        case .string: return tensor.strings
        case .bool: return tensor.withUnsafeBytes { $0.map { $0 == 0 ? "False" : "True" } }
        case .float: return tensor.scalars(Float.self).map(text)
        case .double: return tensor.scalars(Double.self).map(text)
        case .float16: return tensor.scalars(Half.self).map { text($0, plainLimit: 1e3) }
        case .bfloat16: return tensor.scalars(BFloat16.self).map { text($0, plainLimit: 1e3) }
        case .uint64: return tensor.scalars(UInt64.self).map(\.description)
        case .uint4, .uint2: return tensor.withUnsafeBytes { $0.map(\.description) }
        case .int4, .int2: return tensor.withUnsafeBytes { $0.map { Int8(bitPattern: $0).description } }
        default:
            if let table = SmallFloat.table(tensor.dataType) {
                return tensor.withUnsafeBytes { $0.map { text(table[Int($0)]) } }
            }
            guard let integers = tensor.integers else { throw tensor.dataType.unsupported }
            return integers.map(\.description)
        }
    }

    /// A tensor of numbers from texts: plain or with an exponent, or NaN and INF in any case.
    /// - Throws: `SardonyxError` (`invalidValue`) that quotes a text that is no number.
    static func tensor(_ texts: [String], shape: [Int], _ conversion: ElementConversion) throws -> Tensor {
        try conversion.target.byteCount == 1
            ? bytes(texts, shape, conversion) : conversion.target.visitNumber(Reading(texts: texts, shape: shape))
    }

    /// One-byte types are read as double, or as integer where they are integers, and converted.
    private static func bytes(_ texts: [String], _ shape: [Int], _ conversion: ElementConversion) throws -> Tensor {
        let type: DataType = conversion.target.isInteger ? .int64 : .double
        let wide = try type.visitNumber(Reading(texts: texts, shape: shape))
        var narrowing = ElementConversion(from: type, to: conversion.target)
        narrowing.saturates = conversion.saturates
        narrowing.rounding = conversion.rounding
        let results = try narrowing.kernel(count: texts.count).evaluate(
            inputs: [wide], outputs: [TensorSpec(dataType: conversion.target, shape: shape)],
            environment: PlainEnvironment())
        guard let result = results.first.flatMap({ $0 }) else { throw conversion.target.unsupported }
        return result
    }

    private struct Reading: NumberVisitor {
        let texts: [String]
        let shape: [Int]

        func visit<T: Number>(_ type: T.Type) throws -> Tensor {
            Tensor(
                shape: shape,
                scalars: try texts.map { text in
                    guard let value = number(text, as: type) else {
                        throw SardonyxError(.invalidValue, "'\(text)' is not a number")
                    }
                    return value
                })
        }
    }

    private static func number<T: Number>(_ text: String, as type: T.Type) -> T? {
        let trimmed = trim(text)
        if T.isInteger {
            if let whole = Int64(trimmed) { return T.casting(whole) }
            if let whole = UInt64(trimmed) { return T.casting(whole) }
        }
        switch trimmed.lowercased() {
        case "true": return T.one
        case "false": return T.zero
        // Float reads digits itself, so that it rounds once.
        case let plain:
            if type == Float.self { return Float(plain).map { T.casting($0) } }
            return Double(plain).map { T.casting($0) }
        }
    }

    private static func trim(_ text: String) -> String {
        let start = text.drop(while: \.isWhitespace)
        return String(start.reversed().drop(while: \.isWhitespace).reversed())
    }
}
