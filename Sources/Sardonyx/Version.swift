/// Which Sardonyx this is.
public enum Version {
    /// By semantic versioning.
    public static let text = "0.1.0"
}
