extension Process {
  /// Whether `CNI_TRACE`, a list with commas, names `subject`: `netlink`, `ovsdb` or `json`.
  public static func isTraced(_ subject: String) -> Bool {
    names(environment("CNI_TRACE"), subject)
  }

  /// Whether the list `variable` names `subject`.
  static func names(_ variable: String?, _ subject: String) -> Bool {
    variable?.utf8.split(separator: UInt8(ascii: ",")).contains { $0.elementsEqual(subject.utf8) }
      ?? false
  }
}
