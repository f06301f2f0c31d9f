extension RuntimeHost {
  /// What makes `/run/image/rootfs`, a root directory with busybox in it, and
  /// `/run/image/busybox.tar`, an OCI image of it.
  static let image = [
    "make": """
    cd /run/image
    mkdir -p rootfs/bin rootfs/tmp rootfs/proc rootfs/dev rootfs/sys blobs/sha256
    cp "$(command -v busybox)" rootfs/bin/busybox
    for name in sh sleep ip ping nc cat echo httpd wget; do
      ln -sf busybox rootfs/bin/$name
    done
    # Puts a file among the blobs; $digest and $size are of it then.
    blob() {
      digest=$(sha256sum "$1" | cut -d ' ' -f 1)
      size=$(stat -c %s "$1")
      mv "$1" blobs/sha256/$digest
    }
    tar --create --file layer --directory rootfs .
    blob layer
    layer=$digest layerSize=$size
    sed "s/LAYER/$digest/; s/ARCHITECTURE/$(dpkg --print-architecture)/" configuration.json >file
    blob file
    sed "s/CONFIGURATION_SIZE/$size/; s/CONFIGURATION/$digest/
      s/LAYER_SIZE/$layerSize/; s/LAYER/$layer/" manifest.json >file
    blob file
    sed "s/MANIFEST_SIZE/$size/; s/MANIFEST/$digest/" entry.json >index.json
    echo '{"imageLayoutVersion": "1.0.0"}' >oci-layout
    tar --create --file busybox.tar oci-layout index.json blobs
    rm -r blobs
    """,
    "configuration.json": """
    {
      "architecture": "ARCHITECTURE", "os": "linux",
      "config": { "Cmd": ["sleep", "1000"], "Env": ["PATH=/bin"] },
      "rootfs": { "type": "layers", "diff_ids": ["sha256:LAYER"] }
    }
    """,
    "manifest.json": """
    {
      "schemaVersion": 2,
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "config": {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": "sha256:CONFIGURATION", "size": CONFIGURATION_SIZE
      },
      "layers": [
        {
          "mediaType": "application/vnd.oci.image.layer.v1.tar",
          "digest": "sha256:LAYER", "size": LAYER_SIZE
        }
      ]
    }
    """,
    "entry.json": """
    {
      "schemaVersion": 2,
      "manifests": [
        {
          "mediaType": "application/vnd.oci.image.manifest.v1+json",
          "digest": "sha256:MANIFEST", "size": MANIFEST_SIZE,
          "annotations": {
            "io.containerd.image.name": "docker.io/library/busybox:latest",
            "org.opencontainers.image.ref.name": "docker.io/library/busybox:latest"
          }
        }
      ]
    }
    """,
  ]
}
