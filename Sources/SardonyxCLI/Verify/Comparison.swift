import Sardonyx
import SardonyxPipelines

/// How far a value may be from the expected one: |a − b| ≤ absolute + relative · |b|.
struct Tolerance: Sendable, Hashable {
    var relative = 1e-3
    var absolute = 1e-7

    init() {}

    /// The tolerance of the file `tolerance.json` in a folder: {"rtol": 0.001, "atol": 1e-7}, each of which may be left out.
    init(folder: String) throws {
        let path = Files.join(folder, "tolerance.json")
        guard Files.exists(path) else { return }
        guard let json = (try? smallText(path)).flatMap(JSON.init(parsing:)), case .object = json else {
            throw CommandFailure(.badInput, "\(path): is no JSON object")
        }
        relative = json["rtol"]?.number ?? relative
        absolute = json["atol"]?.number ?? absolute
    }
}

/// Compares results with what was expected.
struct Comparison {
    let tolerance: Tolerance
    /// The largest |a − b| of finite values met so far.
    var maximumError = 0.0

    init(_ tolerance: Tolerance) { self.tolerance = tolerance }

    /// - Returns: the first difference in words, or nil when the values are alike.
    mutating func difference(_ actual: Datum, _ expected: Datum, _ what: String) -> String? {
        switch (Self.unwrapped(actual), Self.unwrapped(expected)) {
        case (nil, nil): return nil
        case (nil, _?): return "\(what) is an empty optional; a value was expected"
        case (_?, nil): return "\(what) has a value; an empty optional was expected"
        case (.tensor(let a)?, .tensor(let b)?): return difference(a, b, what)
        case (.sequence(let a)?, .sequence(let b)?):
            if a.count != b.count { return "\(what) has \(a.count) elements; \(b.count) were expected" }
            for index in a.indices {
                if let text = difference(a[index], b[index], "\(what)[\(index)]") { return text }
            }
            return nil
        case (.map(let a)?, .map(let b)?):
            let (left, right) = (Set(a.map(\.key)), Set(b.map(\.key)))
            if left != right { return "\(what) has \(a.count) keys that are not the \(b.count) expected ones" }
            for (key, value) in b {
                guard let other = a.first(where: { $0.key == key })?.value else { continue }
                if let text = difference(other, value, "\(what)[\(key)]") { return text }
            }
            return nil
        case (let a?, let b?): return "\(what) is \(Self.kind(a)); \(Self.kind(b)) was expected"
        }
    }

    /// What an optional holds; nil for an empty one.
    private static func unwrapped(_ datum: Datum) -> Datum? {
        guard case .optional(let inner) = datum else { return datum }
        return inner.flatMap(unwrapped)
    }

    private static func kind(_ datum: Datum) -> String {
        switch datum {
        case .tensor: "a tensor"
        case .sequence: "a sequence"
        case .optional: "an optional"
        case .map: "a map"
        }
    }

    private mutating func difference(_ a: Tensor, _ b: Tensor, _ what: String) -> String? {
        if a.dataType != b.dataType {
            return "\(what) has the type \(a.dataType.name); \(b.dataType.name) was expected"
        }
        if a.shape != b.shape { return "\(what) has the shape \(a.shape); \(b.shape) was expected" }
        guard let left = ElementReader.doubles(a), let right = ElementReader.doubles(b) else {
            guard let index = a.strings.indices.first(where: { a.strings[$0] != b.strings[$0] }) else { return nil }
            return
                "\(what)\(Self.position(index, a.shape)) is \"\(a.strings[index])\"; \"\(b.strings[index])\" was expected"
        }
        let width = a.count == 0 ? 1 : left.count / a.count
        let exact = Self.exactDistance(a, b)
        var wrong = 0
        var worst = (excess: -Double.infinity, index: 0, error: 0.0)
        for index in 0..<a.count {
            let (error, size) = exact?(index) ?? Self.distance(left, right, index, width)
            if error.isFinite { maximumError = max(maximumError, error) }
            let excess = error - (tolerance.absolute + tolerance.relative * size)
            // A NaN fails too.
            if excess <= 0 { continue }
            wrong += 1
            let rank = excess.isNaN ? Double.infinity : excess
            if rank > worst.excess || wrong == 1 { worst = (rank, index, error) }
        }
        if wrong == 0 { return nil }
        func value(_ values: [Double]) -> String {
            let parts = (0..<width).map { Self.text(values[worst.index * width + $0]) }
            return width == 1 ? parts[0] : "(\(parts.joined(separator: ", ")))"
        }
        return "\(what): \(wrong) of \(a.count) values differ; the worst is \(Self.position(worst.index, a.shape)): "
            + "\(value(left)), expected \(value(right)) (rtol \(significant(tolerance.relative)), "
            + "atol \(significant(tolerance.absolute)))"
    }

    /// |a − b| and |b| of an element of 64 bits, which `Double` cannot hold; nil for other types.
    private static func exactDistance(_ a: Tensor, _ b: Tensor) -> ((Int) -> (error: Double, size: Double))? {
        func distances<T: FixedWidthInteger & Scalar>(_ type: T.Type) -> (Int) -> (error: Double, size: Double) {
            let (left, right) = (a.scalars(T.self), b.scalars(T.self))
            return { index in
                let (x, y) = (left[index], right[index])
                // The difference of two numbers fits into the unsigned type of their width.
                let difference = UInt64(truncatingIfNeeded: x > y ? x &- y : y &- x)
                return (Double(difference), Double(y.magnitude))
            }
        }
        switch a.dataType {
        case .int64: return distances(Int64.self)
        case .uint64: return distances(UInt64.self)
        default: return nil
        }
    }

    /// |a − b| and |b| of an element; 0 where both are the same infinity or both NaN, infinity where only one is.
    private static func distance(_ a: [Double], _ b: [Double], _ index: Int, _ width: Int) -> (
        error: Double, size: Double
    ) {
        if width == 1 {
            let (x, y) = (a[index], b[index])
            if x == y || (x.isNaN && y.isNaN) { return (0, 0) }
            return x.isFinite && y.isFinite ? (abs(x - y), abs(y)) : (.infinity, 0)
        }
        var squares = (error: 0.0, size: 0.0)
        for part in (index * width)..<((index + 1) * width) {
            let (error, _) = distance(a, b, part, 1)
            if error == .infinity { return (.infinity, 0) }
            squares.error += error * error
            if b[part].isFinite { squares.size += b[part] * b[part] }
        }
        return (squares.error.squareRoot(), squares.size.squareRoot())
    }

    private static func text(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? fixed(value, 0) : significant(value, 9)
    }

    /// The coordinates of an element, `[1, 0, 3]`.
    private static func position(_ index: Int, _ shape: [Int]) -> String {
        var rest = index
        var coordinates: [Int] = []
        for extent in shape.reversed() {
            coordinates.insert(rest % max(extent, 1), at: 0)
            rest /= max(extent, 1)
        }
        return "\(coordinates)"
    }
}
