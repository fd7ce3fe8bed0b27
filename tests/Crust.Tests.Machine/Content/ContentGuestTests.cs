using System.Formats.Tar;
using System.Text.Json.Nodes;
using Crust.Spec;
using Crust.Tests.Machine.Guests;
using Crust.Tests.Registries;
using Crust.Tests.Spec;

namespace Crust.Tests.Machine.Content;

/// <summary>A bundle that travelled as a partition of a disk and on an ISO, in a system without a network: whole, as large as it says, and imported by containerd.</summary>
[Parallelizable(ParallelScope.Self)]
[CancelAfter(900_000)]
public sealed class ContentGuestTests
{
    private const int BaseLength = 3 << 20;

    private const string Script = """
        ip link set eth0 down
        modprobe isofs
        until [ -b /dev/vda2 ] && [ -b /dev/vdb ]; do sleep 0.2; done
        udevadm settle
        mkdir -p /tools /disk /medium /image /run/extensions
        mount -o ro /dev/vda1 /tools
        ln -s /tools/tools.raw /run/extensions/tools.raw
        systemd-sysext merge
        mount -o ro /dev/disk/by-label/COS_CONTENT /disk
        mount -t iso9660 -o ro /dev/vdb /medium
        echo "partition: $(readlink -f /dev/disk/by-partlabel/COS_CONTENT)"
        truncate -s 10G /system
        for place in /disk/bundle-content /medium/opt/spectrocloud/content; do
            (cd $place && sha256sum -c content.sha256 | sed "s|^|$place: |")
            echo "joined: $(cat $place/content.tar.zst_part* | sha256sum)"
            sh /fits /dev/vda - $place
            sh /fits /dev/vda /system $place && echo 'large: fits' || echo "large: $?"
        done
        cat /disk/bundle-content/content.tar.zst_part* | zstd -dcq >/archive.tar
        echo "archive: $(stat -c %s /archive.tar)"
        echo "file: $(tar -xOf /archive.tar files/notes/today)"
        containerd --root /run/containerd-root --state /run/containerd-state --address /run/containerd.sock --log-level error &
        ctr="ctr --address /run/containerd.sock --namespace k8s.io"
        until $ctr version >/dev/null 2>&1; do sleep 0.5; done
        $ctr images import --snapshotter native /archive.tar
        # Kubernetes' own plugin adds each image by its config, too.
        $ctr images list -q | sed -n '/^sha256:/!s/^/image: /p'
        # Each below a place of its own: containerd names the snapshot after the place, and one that it hasn't removed yet would be shown again.
        for image in $($ctr images list -q | grep -v -e @ -e ^sha256:); do
            place=/image/$(echo "$image" | tr / _)
            mkdir -p "$place"
            $ctr images mount --snapshotter native "$image" "$place" >/dev/null
            echo "in $image: $(sha256sum <"$place/base") $(cat "$place/own")"
            $ctr images unmount --rm --snapshotter native "$place" >/dev/null
        done
        kill $!
        """;

    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeTearDown]
    public void RemoveFiles() => _crust.Dispose();

    [Test]
    public async Task What_an_image_layout_on_a_partition_or_an_ISO_holds_is_imported_without_a_network()
    {
        _crust.ShareDearThings();
        await using var registry = await LocalRegistry.StartAsync(Cancellation);
        var noise = new byte[BaseLength];
        new Random(5).NextBytes(noise);
        var shared = Layer("base", noise);
        var index = await PushAsync(registry, "edge/app:1", [Arch.Amd64, Arch.Arm64], [shared, Layer("own", "the application"u8.ToArray())]);
        var docker = await PushAsync(registry, "edge/tool:1", [Arch.Amd64], [shared, Layer("own", "the tool"u8.ToArray())], "--format", "v2s2");
        Directory.CreateDirectory(Path.Combine(_crust.Folder, "notes"));
        await File.WriteAllTextAsync(Path.Combine(_crust.Folder, "notes/today"), "read me", Cancellation);
        await File.WriteAllTextAsync(Path.Combine(_crust.Folder, "content.yaml"), $$"""
            version: 1
            images: ['{{index}}', '{{docker}}']
            files: [notes]
            registries: [{ registry: '{{registry.Host}}', tls: false }]
            split: 1M

            """, Cancellation);

        var made = await _crust.RunAsync(Cancellation, "content", "--json", "--disk", await DiskAsync(), "--iso", await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation));
        Assert.That(made.ExitCode, Is.Zero, made.Error);
        var (result, content) = (JsonNode.Parse(made.Output)!, Path.Combine(_crust.Folder, "content"));
        var guest = await SystemdGuest.OfAsync("bookworm", Cancellation);
        var fits = await File.ReadAllBytesAsync(RepositoryFile.PathOf("builder/content/fits"), Cancellation);
        var said = await guest.RunAsync([("/fits", fits)], Script, Cancellation, Path.Combine(content, "content.img"), Path.Combine(content, "content.iso"));
        await TestContext.Out.WriteLineAsync(said);

        string[] Said(string about) => [.. said.Split('\n').Where(line => line.StartsWith(about + ": ", StringComparison.Ordinal)).Select(line => line[(about.Length + 2)..])];
        var parts = result["files"]!.AsArray().Select(file => file!["file"]!.GetValue<string>()).Where(file => file.Contains("_part", StringComparison.Ordinal)).ToList();
        var digests = result["images"]!.AsArray().Select(image => image!["digest"]!.GetValue<string>()).ToList();
        var length = new FileInfo(Path.Combine(content, "content.img")).Length;
        var unpacked = result["unpacked"]!.GetValue<long>();
        using (Assert.EnterMultipleScope())
        {
            // The base is in both images and in the bundle once.
            Assert.That(unpacked, Is.InRange(BaseLength, BaseLength + (128 << 10)));
            Assert.That(parts, Has.Count.GreaterThan(2));
            Assert.That(Said("partition"), Is.EqualTo(new[] { "/dev/vda2" }));
            Assert.That(Said("/disk/bundle-content"), Is.EqualTo(parts.Select(part => $"{part}: OK")));
            Assert.That(Said("/medium/opt/spectrocloud/content"), Is.EqualTo(parts.Select(part => $"{part}: OK")));
            Assert.That(Said("joined"), Is.EqualTo(Enumerable.Repeat($"{result["sha256"]}  -", 2)));
            Assert.That(Said("fits").Select(line => string.Join(' ', line.Split(' ')[..4])), Is.EquivalentTo(new[]
            {
                $"/dev/vda has {length} bytes,", "/dev/vda is too small:", $"/dev/vda has {length} bytes,", "/dev/vda is too small:",
            }));
            Assert.That(Said("large"), Is.EqualTo(new[] { "1", "1" }));
            Assert.That(Said("archive"), Is.EqualTo(new[] { $"{unpacked}" }));
            Assert.That(Said("file"), Is.EqualTo(new[] { "read me" }));
            Assert.That(Said("image"), Is.EquivalentTo(new[] { index, docker }.Zip(digests, (name, digest) => new[] { name, $"{name[..^2]}@{digest}" }).SelectMany(names => names)));
            var sum = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(noise));
            Assert.That(Said($"in {index}"), Is.EqualTo(new[] { $"{sum}  - the application" }));
            Assert.That(Said($"in {docker}"), Is.EqualTo(new[] { $"{sum}  - the tool" }));
        }
    }

    // A disk with Debian's containerd and zstd in its one partition.
    private async Task<string> DiskAsync()
    {
        var tools = Directory.CreateDirectory(Path.Combine(_crust.Folder, "tools")).FullName;
        var built = await _crust.RunAsync(Cancellation, "sysext", "build", "--packages", "containerd,zstd", "--suite", "bookworm", "--name", "tools", "--output", tools);
        Assert.That(built.ExitCode, Is.Zero, built.Error);
        var (disk, system) = (Path.Combine(_crust.Folder, "disk.img"), Path.Combine(_crust.Folder, "tools.ext4"));
        await Host.RunAsync("mke2fs", ["-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d", tools, system, "200M"], Cancellation);
        await Host.RunAsync("truncate", ["-s", "202M", disk], Cancellation);
        await Host.RunAsync("sgdisk", ["-n", "1:2048:+200M", disk], Cancellation);
        await Host.RunAsync("dd", [$"if={system}", $"of={disk}", "bs=1M", "seek=1", "conv=notrunc,sparse", "status=none"], Cancellation);
        return disk;
    }

    private async Task<string> PushAsync(LocalRegistry registry, string name, Arch[] archs, string[] layers, params string[] options)
    {
        var layout = OciSample.Write(Path.Combine(_crust.Folder, $"layout-{Guid.NewGuid():N}"), [.. archs.Select(arch => (arch, layers))]);
        options = options.Length > 0 ? options : ["--all", "--preserve-digests"];
        await Host.RunAsync("skopeo", ["--insecure-policy", "copy", .. options, "--dest-tls-verify=false", $"oci:{layout}", $"docker://{registry.Host}/{name}"], Cancellation);
        return $"{registry.Host}/{name}";
    }

    private string Layer(string name, byte[] content)
    {
        var path = Path.Combine(_crust.Folder, $"{Guid.NewGuid():N}.tar");
        using var tar = new TarWriter(File.Create(path));
        tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content), ModificationTime = DateTimeOffset.UnixEpoch });
        return path;
    }
}
