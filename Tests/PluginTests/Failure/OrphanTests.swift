import Foundation
import TestSupport
import Testing

/// DEL ends while a child of it is still in the kernel. The process that inherits this child reaps
/// it, or never does.
@Suite("The child that DEL leaves in the kernel", .privateHost) struct OrphanTests {
  /// What was seen of one DEL, when what it left had ended.
  struct Seen: Equatable {
    let isLeft: Bool
    let zombies: Int
  }

  /// Process 1 of a PID namespace. It runs ADD and DEL until `lefts` of these have left a child,
  /// and then `more` times, and says of each DEL what it left, and at the end what the file has in
  /// it.
  private static let program = #"""
    use POSIX ":sys_wait_h";
    my ($plugin, $directory, $reaps, $lefts, $more, $prepare) = @ARGV;
    my $file = "/run/patchbay/left." . (stat "/proc/self/ns/pid")[1];
    sub put { open my $f, ">", $file or die "$file: $!"; print $f @_ }
    sub began {
      open my $f, "<", "/proc/$_[0]/stat" or die;
      (split / /, <$f> =~ s/.*\) //r)[19];
    }
    # A directory of its own: the number of a PID namespace is soon that of another one. And another
    # /proc, which shows this namespace whatever becomes of the first.
    mkdir $_ for "/run/patchbay", "$directory/proc";
    system("mount", "-t", "tmpfs", "tmpfs", "/run/patchbay") == 0 or die "mount";
    system("mount", "-t", "proc", "proc", "$directory/proc") == 0 or die "mount";
    # The states of all processes but this one.
    sub states {
      my @states;
      for (grep { !m{/1\z} } glob "$directory/proc/[0-9]*") {
        open my $f, "<", "$_/stat" or next;
        push @states, $1 if <$f> =~ /.*\) (.)/;
      }
      return @states;
    }
    eval "$prepare; 1" or die $@;
    die "$prepare" if $?;
    for (1 .. 60) {
      last if $lefts <= 0 && $more-- <= 0;
      for my $command ("ADD", "DEL") {
        $ENV{CNI_COMMAND} = $command;
        system("exec $plugin <$directory/conf >$directory/out 2>&1") == 0
          or die "$command: " . `cat $directory/out`;
      }
      my $left = `cat $directory/out` =~ /is left to it$/m ? 1 : 0;
      $lefts -= $left;
      for (1 .. 1000) {
        last unless grep { $_ ne "Z" } states;
        select undef, undef, undef, 0.01;
      }
      1 while $reaps && waitpid(-1, WNOHANG) > 0;
      my @zombies = states;
      print "$left ", scalar @zombies, "\n";
    }
    my $content = "";
    if (-f $file && open my $f, "<", $file) { read $f, $content, 64 }
    print unpack("H*", $content), "\n";
    """#

  private let network: Network
  private let sandbox: Sandbox

  init() throws {
    network = try Network()
    sandbox = try Sandbox()
  }

  private func run(
    reaps: Bool = false, lefts: Int, more: Int = 0, _ prepare: String = ""
  ) throws -> (seen: [Seen], file: String) {
    let directory = network.host.directory
    try directory.write(
      String(decoding: network.configuration(["logLevel": "debug"]).encoded, as: UTF8.self),
      to: "conf")
    let variables = [
      "CNI_CONTAINERID": "c1", "CNI_NETNS": sandbox.path, "CNI_IFNAME": "eth0",
      "CNI_PATH": network.plugin.searchPath,
    ]
    let output = try network.host.namespace.exec(
      "unshare",
      [
        "--pid", "--fork", "--kill-child", "--mount-proc", "perl", "-e", Self.program,
        network.plugin.path, directory.path, reaps ? "1" : "0", "\(lefts)", "\(more)", prepare,
      ],
      environment: ProcessInfo.processInfo.environment.merging(variables) { $1 },
      timeout: .seconds(60)
    ).checked()
    let lines = output.stdout.split(separator: "\n", omittingEmptySubsequences: false)
    let seen = try lines.dropLast(2).map { line in
      let words = line.split(separator: " ")
      return Seen(isLeft: words.first == "1", zombies: try #require(Int(words.last ?? "")))
    }
    return (seen, String(lines.dropLast().last ?? ""))
  }

  @Test("is reaped by a process that does so, each time")
  func reaped() throws {
    let seen = try run(reaps: true, lefts: 3).seen
    #expect(seen.filter { $0.isLeft }.count == 3, "\(seen)")
    #expect(seen.allSatisfy { $0.zombies == 0 }, "\(seen)")
  }

  @Test("is one zombie and no more where no process reaps it, and DEL waits from then on")
  func unreaped() throws {
    let seen = try run(lefts: 1, more: 5).seen
    let first = try #require(seen.firstIndex { $0.isLeft }, "\(seen)")
    #expect(seen[..<first].allSatisfy { $0.zombies == 0 }, "\(seen)")
    #expect(seen[first].zombies == 1, "\(seen)")
    let waiting = Seen(isLeft: false, zombies: 1)
    #expect(Array(seen[(first + 1)...]) == Array(repeating: waiting, count: 5), "\(seen)")
  }

  /// What is in the place of the file, as Perl makes it, and whether DEL leaves a child then.
  static let places: [(prepare: String, leaves: Bool)] = [
    ("put ''", true),
    // A number that no process has, and one that another process has by now.
    ("put pack 'QQ', 99999999, 5", true),
    ("put pack 'QQ', 1, 5", true),
    // One that has not ended.
    ("put pack 'QQ', 1, began(1)", true),
    ("put 'what is this'", false),
    ("put \"\\xff\" x 16", false),
    ("put pack 'QQ', 0, 0", false),
    ("put pack 'QQQ', 1, 5, 0", false),
    ("put ''; truncate $file, 1 << 40", false),
    ("mkdir $file", false),
    ("system 'mkfifo', $file", false),
    ("symlink '/dev/null', $file", false),
    ("put ''; rename $file, '/run/patchbay/x' and symlink 'x', $file or die", false),
    // No file can be made, or none with content.
    (
      """
      system 'mount -t tmpfs tmpfs /run/patchbay && touch /run/patchbay/plugin.lock $1/lock \
      && mount --bind $1/lock /run/patchbay/plugin.lock \
      && mount -o remount,bind,ro /run/patchbay' =~ s/\\$1/$directory/gr
      """, false
    ),
    (
      """
      system 'mount -t tmpfs -o size=4k tmpfs /run/patchbay; cd /run/patchbay; \
      head -c 4096 /dev/zero >x'
      """, false
    ),
    // That of the machine, in which the numbers are others.
    ("system 'umount /proc'", false),
  ]

  @Test("is of no concern to DEL where the file is anything else", arguments: places)
  func place(prepare: String, leaves: Bool) throws {
    let (seen, file) = try run(reaps: true, lefts: leaves ? 1 : 0, more: leaves ? 0 : 3, prepare)
    #expect(seen.count >= (leaves ? 1 : 3), "\(seen)")
    #expect(seen.last?.isLeft == leaves, "\(seen)")
    #expect(seen.allSatisfy { $0.zombies == 0 }, "\(seen)")
    if prepare.hasPrefix("put 'what") { #expect(file == Data("what is this".utf8).hex) }
  }
}

extension Data {
  fileprivate var hex: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
