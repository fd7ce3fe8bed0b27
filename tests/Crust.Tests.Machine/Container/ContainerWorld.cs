using System.Diagnostics;
using Crust.Spec;
using Crust.Tests.Spec;

namespace Crust.Tests.Machine.Container;

/// <summary>
/// Podman with a store of its own, without a daemon and without anything that this host forbids: it makes images in a chroot, on a base
/// that mmdebstrap made, and runs them with runc.
/// </summary>
internal sealed class ContainerWorld : IDisposable
{
    private const string Base = "localhost/debian:base";

    // A client without an engine may stand before it in PATH.
    private static readonly Lazy<string> Podman = new(() => HostEnvironment.Read().SearchPath.Select(folder => Path.Combine(folder, "podman")).Where(File.Exists).First(Answers));

    /// <summary>The checkout.</summary>
    public static string Root { get; } = Path.GetDirectoryName(RepositoryFile.PathOf("Dockerfile"))!;

    /// <summary>A folder that is removed at the end.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("crust-container-").FullName;

    private Dictionary<string, string> Environment { get; } = [];

    /// <summary>Makes the base image.</summary>
    public static async Task<ContainerWorld> CreateAsync(CancellationToken cancellation)
    {
        Host.RequireMountNamespaces();
        var world = new ContainerWorld();
        foreach (var (name, content) in new[]
        {
            // What a process may have at most: no more than whoever runs the tests has.
            ("containers.conf", "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n[engine]\nruntime = \"runc\"\n"),
            ("storage.conf", $"[storage]\ndriver = \"overlay\"\ngraphroot = \"{world.Folder}/store\"\nrunroot = \"{world.Folder}/run\"\n"),
        })
        {
            await File.WriteAllTextAsync(Path.Combine(world.Folder, name), content, cancellation);
        }

        world.Environment["CONTAINERS_CONF"] = Path.Combine(world.Folder, "containers.conf");
        world.Environment["CONTAINERS_STORAGE_CONF"] = Path.Combine(world.Folder, "storage.conf");
        world.Environment["BUILDAH_ISOLATION"] = "chroot";
        world.Environment["ENGINE"] = Podman.Value;
        world.Environment["DEBIAN"] = Base;
        // Where the appliance and the reference installer are on this host already, they needn't be built a second time.
        world.Environment["BUILD_ARGS"] = $"--network host -v {HostEnvironment.Read().CacheFolder}:/prebuilt";
        Directory.CreateDirectory(HostEnvironment.Read().CacheFolder);

        var tar = Path.Combine(world.Folder, "base.tar");
        await Host.RunAsync("mmdebstrap", ["--mode=root", "--variant=minbase", "--quiet", "bookworm", tar], cancellation);
        var imported = await world.PodmanAsync(cancellation, "import", "--quiet", tar, Base);
        Assert.That(imported.ExitCode, Is.Zero, imported.Error);
        File.Delete(tar);
        return world;
    }

    /// <summary>Runs the image as one does who trusts nobody: without network, as a user that nobody has heard of, with nothing to write to but /images and /tmp.</summary>
    public Task<CrustResult> RunAsync(string image, string images, CancellationToken cancellation, params IEnumerable<string> arguments) => PodmanAsync(cancellation,
        ["run", "--rm", "--network", "none", "--user", "54321:0", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "--security-opt", "no-new-privileges",
        "-v", $"{images}:/images", image, .. arguments]);

    /// <summary>A folder into which members of group 0 may write.</summary>
    public string ImagesFolder(string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder, name)).FullName;
        File.SetUnixFileMode(folder, (UnixFileMode)Convert.ToInt32("775", 8));
        return folder;
    }

    public Task<CrustResult> PodmanAsync(CancellationToken cancellation, params IEnumerable<string> arguments) => StartAsync(Podman.Value, arguments, [], cancellation);

    /// <summary>Runs make in the checkout.</summary>
    public Task<CrustResult> MakeAsync(IEnumerable<string> arguments, (string Name, string Value)[] variables, CancellationToken cancellation) =>
        StartAsync("make", ["--no-print-directory", .. arguments], variables, cancellation);

    public void Dispose()
    {
        // The store's driver mounts it onto itself, which would keep the folder. Nothing else is podman's to remove: `system reset` would take the user's networks, too.
        StartAsync("umount", [Path.Combine(Folder, "store", "overlay")], [], CancellationToken.None).GetAwaiter().GetResult();
        Directory.Delete(Folder, recursive: true);
    }

    private static bool Answers(string engine)
    {
        using var process = Process.Start(new ProcessStartInfo(engine, ["version"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private async Task<CrustResult> StartAsync(string program, IEnumerable<string> arguments, (string Name, string Value)[] variables, CancellationToken cancellation)
    {
        var info = new ProcessStartInfo("env", ["--default-signal", program, .. arguments])
        {
            WorkingDirectory = Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in Environment.Select(pair => (pair.Key, pair.Value)).Concat(variables))
        {
            info.Environment[name] = value;
        }

        await using var running = new RunningCrust(Process.Start(info)!);
        return await running.WaitAsync(cancellation);
    }
}
