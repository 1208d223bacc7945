/// Where a voxel axis points, to the nearest anatomical direction.
public enum Direction: Character, Sendable, CaseIterable {
    /// Towards the patient's right hand.
    case right = "R"
    /// Towards the patient's left hand.
    case left = "L"
    /// Towards the face.
    case anterior = "A"
    /// Towards the back.
    case posterior = "P"
    /// Towards the head's top.
    case superior = "S"
    /// Towards the feet.
    case inferior = "I"

    /// The axis of patient space: 0 left to right, 1 posterior to anterior, 2 inferior to superior.
    public var axis: Int {
        switch self {
        case .right, .left: return 0
        case .anterior, .posterior: return 1
        case .superior, .inferior: return 2
        }
    }

    /// True for right, anterior and superior: the direction in which RAS+ coordinates grow.
    public var isPositive: Bool { self == .right || self == .anterior || self == .superior }

    init(axis: Int, positive: Bool) {
        let ends: [(Direction, Direction)] = [(.left, .right), (.posterior, .anterior), (.inferior, .superior)]
        self = positive ? ends[axis].1 : ends[axis].0
    }
}

/// The directions in which i, j and k grow: "RAS", "LPS", …
public struct Orientation: Sendable, Equatable, CustomStringConvertible {
    /// The direction in which each voxel index grows; i first. Always three different axes.
    public let directions: [Direction]

    /// i to the right, j to anterior, k to superior: the order that this library calls canonical.
    public static let ras = Orientation(unchecked: [.right, .anterior, .superior])

    init(unchecked directions: [Direction]) { self.directions = directions }

    /// Three letters of R L A P S I, one an axis; `nil` for anything else.
    public init?(_ code: String) {
        let directions = code.compactMap(Direction.init(rawValue:))
        guard code.count == 3, directions.count == 3, Set(directions.map(\.axis)).count == 3 else { return nil }
        self.directions = directions
    }

    /// The nearest directions of an invertible affine's voxel axes, as ITK and nibabel find them: the axis with the
    /// largest absolute direction cosine of all gets its patient axis first, so that an oblique grid's never collide.
    public init(_ affine: Affine) {
        let steps = (0..<3).map { affine.column($0) / max(Affine.length(affine.column($0)), .leastNormalMagnitude) }
        var found: [Int: Direction] = [:]
        var (axes, patient) = ([0, 1, 2], [0, 1, 2])
        while let first = axes.first {
            var (axis, nearest) = (first, patient[0])
            // A hair's margin: of equals (45°) the first stays, whatever the rounding.
            for a in axes {
                for p in patient where abs(steps[a][p]) > abs(steps[axis][nearest]) + 1e-9 { (axis, nearest) = (a, p) }
            }
            found[axis] = Direction(axis: nearest, positive: steps[axis][nearest] >= 0)
            axes.removeAll { $0 == axis }
            patient.removeAll { $0 == nearest }
        }
        directions = (0..<3).map { found[$0]! }
    }

    /// The three letters.
    public var description: String { String(directions.map(\.rawValue)) }
}
