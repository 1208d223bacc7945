/// The three planes in which radiologists look at a patient.
public enum SlicePlane: String, Sendable, CaseIterable {
    /// Across, seen from the feet: patient's right on the left, anterior on top.
    case axial
    /// From ear to ear, seen from the front: patient's right on the left, superior on top.
    case coronal
    /// From nose to back, seen from the patient's left: anterior on the left, superior on top.
    case sagittal

    /// Axes of a RAS volume: across the picture, down the picture, through it. The first two run against the picture
    /// in every plane: pictures begin at right, anterior, superior.
    var axes: (across: Int, down: Int, through: Int) {
        switch self {
        case .axial: return (0, 1, 2)
        case .coronal: return (0, 2, 1)
        case .sagittal: return (1, 2, 0)
        }
    }

    /// The patient's direction at the left, right, top and bottom of the picture.
    public var sides: (left: Direction, right: Direction, top: Direction, bottom: Direction) {
        switch self {
        case .axial: return (.right, .left, .anterior, .posterior)
        case .coronal: return (.right, .left, .superior, .inferior)
        case .sagittal: return (.anterior, .posterior, .superior, .inferior)
        }
    }

    /// "Axial".
    var title: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }

    /// The name of the coordinate that tells slices apart.
    var coordinate: String { ["x", "y", "z"][axes.through] }
}
