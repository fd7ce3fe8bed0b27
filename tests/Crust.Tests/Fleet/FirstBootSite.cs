using System.Collections.Immutable;
using Crust.Layers;
using Crust.Spec;
using Crust.Tools;
using Crust.Trees;
using Serilog.Core;

namespace Crust.Tests.Fleet;

/// <summary>
/// A machine on its first boot, as builder/first-boot/first-boot finds it: a folder in place of its root, with the files that the layer brings, network cards and serial numbers, and
/// programs in place of systemctl and others that write down how they were called. The bootstrap repository is a real one on this host's disk.
/// </summary>
internal sealed class FirstBootSite : IAsyncDisposable
{
    // Dash is what Debian's /bin/sh is: what only bash has fails there.
    private const string Shell = "dash";

    private static readonly string[] Recorded = ["systemctl", "networkctl", "netplan", "nmcli", "kubeadm", "k3s", "curl", "ssh", "sync"];

    private readonly string _folder = Directory.CreateTempSubdirectory("crust-first-boot-").FullName;
    private readonly List<string> _agents = [];

    public FirstBootSite()
    {
        Directory.CreateDirectory(Repository);
        foreach (var name in Recorded)
        {
            WriteProgram(name, $"echo {name} \"$@\" >>'{_folder}/calls'; [ ! -f '{_folder}/{name}-does' ] || . '{_folder}/{name}-does'");
        }

        // Waiting takes no time; what a test has happen meanwhile does, once for each wait.
        WriteProgram("sleep", $"echo sleep \"$@\" >>'{_folder}/calls'; n=$(($(cat '{_folder}/waits' 2>/dev/null || echo 0) + 1)); echo $n >'{_folder}/waits'; [ ! -f '{_folder}/wait-'$n ] || . '{_folder}/wait-'$n; "
            + $"[ $n -lt ${{MOST_WAITS:-8}} ] || kill -TERM $PPID");
        Card("eth0", "dc:a6:32:01:02:03");
        WriteRoot("proc/sys/kernel/hostname", "localhost\n");
        WriteRoot("etc/hosts", "127.0.0.1\tlocalhost\n127.0.1.1\tlocalhost\n");
    }

    /// <summary>What stands for /.</summary>
    public string Root => Path.Combine(_folder, "root");

    /// <summary>The bootstrap repository.</summary>
    public string Repository => Path.Combine(_folder, "bootstrap");

    public GitRepository Git => new(Repository);

    /// <summary>How programs were called, in order.</summary>
    public ImmutableArray<string> Calls => File.Exists(PathOf("calls")) ? [.. File.ReadAllLines(PathOf("calls"))] : [];

    /// <summary>What setup.sh has written, a line each time that it ran.</summary>
    public ImmutableArray<string> Runs => File.Exists(Path.Combine(Root, "ran")) ? [.. File.ReadAllLines(Path.Combine(Root, "ran"))] : [];

    private static ToolBox Tools { get; } = new(["/usr/bin", "/bin"], Logger.None);

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents)
        {
            await GitRepository.EndAgentAsync(agent);
        }

        Directory.Delete(_folder, recursive: true);
    }

    public string PathOf(string name) => Path.Combine(_folder, name);

    public void WriteRoot(string path, string text) => Write(Path.Combine(Root, path), text);

    public string ReadRoot(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>A network card.</summary>
    /// <param name="isReal">Whether a device is behind it: bridges and bonds have none.</param>
    public void Card(string name, string mac, bool isReal = true)
    {
        WriteRoot($"sys/class/net/{name}/address", mac + "\n");
        if (isReal)
        {
            WriteRoot($"sys/class/net/{name}/device/uevent", "");
        }
    }

    /// <summary>What a program in place of a real one does when it is called.</summary>
    public void Does(string program, string script) => Write(PathOf($"{program}-does"), script);

    /// <summary>What happens while the machine waits for the nth time.</summary>
    public void While(int wait, string script) => Write(PathOf($"wait-{wait}"), script);

    /// <summary>Commits setup.sh and other files to the repository.</summary>
    /// <returns>The commit.</returns>
    public Task<string> CommitAsync(string setup, (string Name, string Text)[]? files = null, string? signingKey = null) => Git.CommitAsync([("setup.sh", setup), .. files ?? []], signingKey);

    /// <summary>A key pair of OpenSSH's; the public one has .pub behind it.</summary>
    public Task<string> KeyAsync(string name) => GitRepository.SshKeyAsync(PathOf(name));

    /// <summary>A folder of GnuPG's with a key pair; the public key has .asc behind it.</summary>
    public async Task<string> OpenPgpKeyAsync(string name)
    {
        _agents.Add(PathOf(name));
        return await GitRepository.OpenPgpKeyAsync(PathOf(name));
    }

    /// <summary>Puts the layer onto the machine, as a build would.</summary>
    /// <param name="settings">What the script is told beside it: without it, here, that nobody waits.</param>
    public async Task LayAsync(string nodes, Func<LayerSpec.FirstBoot, LayerSpec.FirstBoot> with, string settings = "first_pause=0 longest_pause=0")
    {
        Write(PathOf("nodes.yaml"), nodes);
        var spec = with(new LayerSpec.FirstBoot(PathOf("nodes.yaml")) { Where = "crust.yaml:2:5, layers[0]", Token = "/etc/crust/join-token", Repository = Repository });
        var (tree, _) = FirstBootTree.Of(spec);
        var fresh = PathOf($"layer-{Guid.NewGuid():N}");
        Directory.CreateDirectory(fresh);
        await tree.WriteFolderAsync(fresh, 0, Cancellation);
        await Tools.RunAsync(ToolCommand.Of("cp", "-a", $"{fresh}/.", Root), Cancellation);
        // Here the repository is a folder of this host.
        await File.AppendAllTextAsync(Path.Combine(Root, "etc/crust/first-boot.conf"), $"protocols=file:ssh {settings}\n", Cancellation);
    }

    /// <summary>Boots the machine: the unit's script runs to its end, is killed, or gives up as it never does by itself after the given number of waits.</summary>
    public async Task<ToolResult> BootAsync(string? argument = null, int mostWaits = 8)
    {
        File.Delete(PathOf("waits"));
        return await Tools.RunAsync(ToolCommand.Of(Shell, [Path.Combine(Root, "opt/crust/first-boot"), .. argument is null ? Array.Empty<string>() : [argument]]) with
        {
            Environment = ImmutableDictionary<string, string>.Empty.AddRange([new("PATH", $"{PathOf("bin")}:/usr/bin:/bin"), new("CRUST_ROOT", Root), new("MOST_WAITS", $"{mostWaits}")]),
            SuccessCodes = [.. Enumerable.Range(0, 256)],
        }, Cancellation);
    }

    private void WriteProgram(string name, string script)
    {
        Write(PathOf($"bin/{name}"), $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(PathOf($"bin/{name}"), TreeEntry.Executable);
    }

    private static void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
