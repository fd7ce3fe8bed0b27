using System.Text.RegularExpressions;

namespace Crust.Tests.Machine.Fleet;

/// <summary>Nodes of a Debian whose cloud-init reads the seed partition: names, secrets, and machine-ids of their own.</summary>
[Category("Long")]
[CancelAfter(3_000_000)]
public sealed partial class DebianFleetTests
{
    private static readonly CrustProcess Crust = new() { CaresForDisks = true };

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeTearDown]
    public void TearDown() => Crust.Dispose();

    [Test]
    public async Task Three_nodes_boot_as_overlay_zstd_and_vmdk_with_names_tokens_and_machine_ids_of_their_own()
    {
        Crust.ShareDearThings();
        await WriteAsync("crust.yaml", """
            version: 1
            name: edge
            base: { debian: { suite: bookworm, packages: [linux-image-cloud-amd64, cloud-init] }, seedPartition: 960K }
            machine: { disk: 2G, memory: 1G }
            tidy: all
            formats: [qcow2, img.zst, vmdk]
            """);
        await WriteAsync("nodes.yaml", """
            nodes:
            - { mac: '02:00:00:00:00:01', hostname: edge-1, role: control-plane }
            - { mac: '02:00:00:00:00:02', hostname: edge-2, role: worker }
            - { mac: '02:00:00:00:00:03', hostname: edge-3, role: worker }
            """);
        await WriteAsync("user-data.yaml", """
            #cloud-config
            runcmd:
            - [ sh, -c, 'echo "this is $(hostname) with ${TOKEN}, machine-id $(cat /etc/machine-id)." >/dev/ttyS0' ]
            """);
        foreach (var node in new[] { "edge-1", "edge-2", "edge-3" })
        {
            await WriteAsync($"{node}.token", $"token-of-{node}");
        }

        var built = await Crust.RunAsync(Cancellation, "build", "--verify", "false");
        Assert.That(built.ExitCode, Is.Zero, built.Error);
        await FleetAsync("edge.qcow2", "overlay", "1/3");
        await FleetAsync("edge.img.zst", "image", "2/3");
        await FleetAsync("edge.vmdk", "image", "3/3");
        await Host.RunAsync("zstd", ["-d", "-q", Node("edge-2.img.zst"), "-o", Node("edge-2.img")], Cancellation);

        string[] serials =
        [
            await PlainBoot.SerialOfAsync(Node("edge-1.overlay.qcow2"), "qcow2", Said(), Cancellation),
            await PlainBoot.SerialOfAsync(Node("edge-2.img"), "raw", Said(), Cancellation),
            await PlainBoot.SerialOfAsync(Node("edge-3.vmdk"), "vmdk", Said(), Cancellation),
        ];

        var said = serials.Select(serial => Said().Match(serial)).ToList();
        Assert.That(said.Select(match => (match.Groups["name"].Value, match.Groups["token"].Value)),
            Is.EqualTo(new[] { ("edge-1", "token-of-edge-1"), ("edge-2", "token-of-edge-2"), ("edge-3", "token-of-edge-3") }), string.Join("\n----\n", serials));
        Assert.That(said.Select(match => match.Groups["id"].Value), Is.Unique);
    }

    private static Task WriteAsync(string name, string text) => File.WriteAllTextAsync(Path.Combine(Crust.Folder, name), text, Cancellation);

    private static async Task FleetAsync(string image, string form, string shard)
    {
        var result = await Crust.RunAsync(Cancellation, "fleet", "nodes.yaml", "--from", $"images/{image}", "--as", form, "--user-data", "user-data.yaml",
            "--secret", "TOKEN=file:{node}.token", "--shard", shard, "--output", "fleet");
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Error, Does.Not.Contain("token-of"));
    }

    private static string Node(string file) => Path.Combine(Crust.Folder, "fleet", file);

    [GeneratedRegex(@"this is (?<name>\S+) with (?<token>\S+), machine-id (?<id>[0-9a-f]{32})\.")]
    private static partial Regex Said();
}
