/// The schema of the database of addresses, with which `init` makes it: what
/// `conf/cluster/cni_ipam.ovsschema` has.
enum ClusterSchema {
  /// The text of an `.ovsschema` file; see ovsdb-tool(1).
  static let text = """
    {
      "name": "CNI_IPAM",
      "version": "1.0.0",
      "tables": {
        "Host": {
          "isRoot": true,
          "columns": {
            "name": {"type": "string"},
            "machine": {"type": "string"}
          },
          "indexes": [["name"]]
        },
        "Lease": {
          "isRoot": true,
          "columns": {
            "pool": {"type": "string"},
            "address": {"type": "string"},
            "holder": {"type": "string"},
            "slot": {"type": "string"},
            "host": {"type": "string"},
            "network": {"type": "string"},
            "container": {"type": "string"},
            "interface": {"type": "string"},
            "boot": {"type": "string"},
            "created": {"type": "integer"},
            "external_ids": {
              "type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}
            }
          },
          "indexes": [["pool", "address"], ["holder", "slot"]]
        },
        "Memory": {
          "isRoot": true,
          "columns": {
            "pool": {"type": "string"},
            "subject": {"type": "string"},
            "address": {"type": "string"}
          },
          "indexes": [["pool", "subject"]]
        }
      }
    }
    """ + "\n"
}
