/// The release of patchbay that this is.
public enum Release {
  /// Its version (semver.org).
  public static let version = "1.0.0"
}
