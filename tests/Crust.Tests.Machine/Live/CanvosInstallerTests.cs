using System.Diagnostics;
using System.Text;
using Crust.Spec;
using Crust.Tests.Layers;
using Crust.Tests.Machine.Layers;
using Crust.Tests.Machine.Providers;
using Crust.Tests.Media;
using Crust.Tests.Registries;
using Crust.Trees;

namespace Crust.Tests.Machine.Live;

/// <summary>
/// Installers of a folder laid out as CanvOS', and of specs whose layers run in the system: images in a real registry with a login, commands in real machines. The base has a kernel in name only;
/// LiveInstallerTests boots one that has more.
/// </summary>
[CancelAfter(1_800_000)]
public sealed class CanvosInstallerTests
{
    private const string Told = "#cloud-config\ninstall: { auto: true, device: /dev/sda, poweroff: true }\nstylus: { site: { paletteEndpoint: palette.example.org } }\n";

    private const string Dockerfile = """
        ARG BASE
        FROM $BASE
        ARG BRAND=none
        RUN echo "of $BRAND by ${https_proxy}" >/etc/ran && rm /etc/motd
        COPY lookup.json /etc/site/
        """;

    private static readonly string[] Drivers = ["squashfs", "loop", "isofs", "overlay"];

    private readonly CrustProcess _crust = new();
    private LocalRegistry _registry = null!;
    private string _certificate = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeSetUp]
    public async Task SetUpAsync()
    {
        _crust.ShareDearThings();
        _registry = await LocalRegistry.StartAsync(wantsLogin: true, null, CancellationToken.None);
        var token = Convert.ToBase64String(Encoding.UTF8.GetBytes(LocalRegistry.Login));
        Write("auth.json", $"{{\"auths\":{{\"{_registry.Host}\":{{\"auth\":\"{token}\"}}}}}}");
        var root = At("root");
        await RealLayers.AddProgramsAsync(root, CancellationToken.None, "/usr/bin/dash", "/usr/bin/cat", "/usr/bin/rm");
        var modules = "usr/lib/modules/6.1.0-18-amd64/kernel/";
        var programs = FileTree.FromFolder(root).With(LiveSample.Base.Entries.Where(entry => entry.Path != "lib")).With(
            TreeEntry.Symlink("bin", "usr/bin"), TreeEntry.Symlink("usr/bin/sh", "dash"), TreeEntry.Folder("usr/local/share/ca-certificates"), TreeEntry.Folder("etc/apt/apt.conf.d"),
            TreeEntry.File("boot/initrd.img-6.1.0-18-amd64", TreeContent.Of(LiveSample.Initrd("dmsquash-live\nimmucore\nlivenet\nnetwork\n", [.. Drivers.Select(driver => $"{modules}{driver}.ko")]))),
            LiveSample.File("etc/motd", "hello\n"), LiveSample.File("etc/environment", "LANG=C\n"), LiveSample.File("etc/machine-id", "0123\n"), LiveSample.File("etc/ssh/ssh_host_rsa_key", "secret"),
            LiveSample.File("etc/kairos/.nousers", ""), LiveSample.File("etc/cos/bootargs.cfg", "set baseCmd=\"root=LABEL=$label security=selinux selinux=1\"\n"),
            TreeEntry.File("usr/sbin/update-ca-certificates", TreeContent.Of("#!/bin/sh\ncat /usr/local/share/ca-certificates/*.crt >/etc/bundle.crt\n"), TreeEntry.Executable));
        await PushedImage.PushAsync(_registry, "base/os:1", arch => arch is Arch.Amd64 ? programs : FileTree.Empty.With(LiveSample.File("etc/none", "")));
        await PushedImage.PushAsync(_registry, "edge/stylus-framework-linux-amd64:v4.6.1", _ => FileTree.Empty.With(
            LiveSample.File("opt/spectrocloud/bin/agent", "agent"), LiveSample.File("etc/kairos/branding/banner", "Edge\n")));
    }

    [OneTimeTearDown]
    public async Task TearDownAsync()
    {
        await _registry.DisposeAsync();
        _crust.Dispose();
    }

    [Test]
    public async Task A_folder_of_CanvOS_as_it_is_becomes_an_installer_and_its_user_data_alone_packs_nothing_anew()
    {
        WriteFolder("whole");

        var made = await RunAsync("whole");

        await TestContext.Out.WriteLineAsync(made.Error);
        Assert.That((made.ExitCode, made.Output), Is.EqualTo((0, "iso/palette-edge-installer.iso\n")), made.Error);
        var iso = At("iso/palette-edge-installer.iso");
        var paths = (await Host.RunAsync("xorriso", ["-indev", iso, "-find", "/", "-type", "f"], Cancellation)).Split('\n').Select(line => line.Trim('\'')).ToList();
        string[] wanted = ["/rootfs.squashfs", "/files-iso/config.yaml", "/.edge_custom_config.yaml", "/opt/spectrocloud/content/apps.tar.zst_part00", "/opt/spectrocloud/content.json",
            "/opt/spectrocloud/clusterconfig/spc.tgz", "/site.txt"];
        Assert.That(wanted.Except(paths), Is.Empty, string.Join('\n', paths));
        Assert.That(await OnMediumAsync(iso, "boot/grub2/grub.cfg"), Does.Contain("menuentry \"Acme Edge\"").And.Contain("set default=2").And.Contain("rd.immucore.debug"));
        var (squashfs, listed) = await SystemOfAsync(iso);
        Assert.That(await InSystemAsync(squashfs, "etc/ran"), Is.EqualTo("of acme by http://proxy.example.org:3128\n"), "a line of the Dockerfile ran");
        Assert.That(await InSystemAsync(squashfs, "etc/bundle.crt"), Is.EqualTo(_certificate), "the site's authority is trusted");
        Assert.That(await InSystemAsync(squashfs, "etc/environment"), Is.EqualTo("LANG=C\nHTTPS_PROXY=http://proxy.example.org:3128\nhttps_proxy=http://proxy.example.org:3128\n"));
        Assert.That(await InSystemAsync(squashfs, "etc/systemd/system.conf.d/50-site-proxy.conf"), Does.Contain("\"https_proxy=http://proxy.example.org:3128\""));
        Assert.That(await InSystemAsync(squashfs, "etc/cos/bootargs.cfg"), Does.Contain("$label selinux=0\""));
        string[] there = ["etc/site/lookup.json", "etc/site/note", "opt/spectrocloud/bin/agent", "opt/spectrocloud/ui/index.html", "etc/kairos/branding/banner"];
        Assert.That(there.Select(path => $"squashfs-root/{path}").Except(listed), Is.Empty);
        Assert.That(new[] { "etc/motd", "etc/ssh/ssh_host_rsa_key", ".crust-steps" }.Select(path => $"squashfs-root/{path}").Intersect(listed), Is.Empty);

        var kept = Kept();
        Write("whole/user-data", Told + "hostname: other\n");
        var started = Stopwatch.GetTimestamp();
        var again = await RunAsync("whole");
        await TestContext.Out.WriteLineAsync($"with another user-data: {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");
        Assert.That((again.ExitCode, Kept()), Is.EqualTo((0, kept)), again.Error);
    }

    [Test]
    public async Task A_script_that_fails_is_named_with_what_it_printed_and_nothing_is_left()
    {
        Write("fails/first.sh", "#!/bin/sh\necho first >/etc/first\n");
        Write("fails/second.sh", "#!/bin/sh\ncat /etc/first\necho in vain >&2\nexit 3\n");
        Write("fails/user-data", "#cloud-config\ninstall: { auto: true }\n");
        Write("fails/installer.yaml", $$"""
            base: { oci: 'docker://{{_registry.Host}}/base/os:1' }
            name: fails
            seed: { userData: user-data }
            machine: { memory: 512M, network: none }
            layers: [{ script: first.sh }, { script: second.sh }]
            """);

        var run = await RunAsync("fails", "installer", "fails/installer.yaml");

        await TestContext.Out.WriteLineAsync(run.Error);
        Assert.That((run.ExitCode, run.Output), Is.EqualTo((4, "")), run.Error);
        Assert.That(run.Error, Does.Contain("layers[1]").And.Contain("first\n").And.Contain("in vain").And.Contain("exit code 3"));
        Assert.That(Directory.Exists(At("iso")) ? Directory.GetFileSystemEntries(At("iso"), "fails*") : [], Is.Empty);
        Assert.That(Directory.EnumerateDirectories(_crust.Cache, "scratch-*"), Is.Empty);
    }

    [Test]
    public async Task Two_configurations_that_would_both_be_merged_are_refused_before_anything_is_packed()
    {
        WriteFolder("stray");
        Write("stray/overlay/files-iso/nested/other.yml", "#cloud-config\nusers: []\n");
        // No machine is needed for it.
        Write("stray/Dockerfile", "FROM $BASE\nARG BRAND\n");
        Directory.Delete(At("stray/certs"), recursive: true);

        var run = await RunAsync("stray");

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((2, "")), run.Error);
        Assert.That(run.Error, Does.Contain("/files-iso/config.yaml").And.Contain("/nested/other.yml"));
    }

    [Test]
    public async Task Without_its_login_the_registry_is_named_and_nothing_is_built()
    {
        WriteFolder("nobody");
        Write("nobody.json", "{}");

        var run = await _crust.RunAsync(Cancellation, "installer", "--arg-file", At("nobody/.arg"), "--tls", "false", "--auth-file", At("nobody.json"));

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((5, "")), run.Error);
        Assert.That(run.Error, Does.Contain($"skopeo login {_registry.Host}"));
    }

    private async Task<string> OnMediumAsync(string iso, string path)
    {
        var to = At($"out-{Guid.NewGuid():N}");
        await Host.RunAsync("xorriso", ["-osirrox", "on", "-indev", iso, "-extract", "/" + path, to], Cancellation);
        return await File.ReadAllTextAsync(to, Cancellation);
    }

    private async Task<(string Squashfs, string[] Listed)> SystemOfAsync(string iso)
    {
        var to = At($"out-{Guid.NewGuid():N}.squashfs");
        await Host.RunAsync("xorriso", ["-osirrox", "on", "-indev", iso, "-extract", "/rootfs.squashfs", to], Cancellation);
        return (to, (await Host.RunAsync("unsquashfs", ["-l", to], Cancellation)).Split('\n'));
    }

    private static Task<string> InSystemAsync(string squashfs, string path) => Host.RunAsync("unsquashfs", ["-cat", squashfs, path], Cancellation);

    // The names of all that took work.
    private string Kept() => string.Join('\n', new[] { "systems", "steps", "live-roots" }.SelectMany(kind => Directory.GetDirectories(Path.Combine(_crust.Cache, kind))).Order(StringComparer.Ordinal));

    private Task<CrustResult> RunAsync(string folder, params string[] command) => _crust.RunAsync(Cancellation, [
        .. command.Length > 0 ? command : ["installer", "--arg-file", $"{folder}/.arg", "--memory", "512M", "--network", "none"], "--tls", "false", "--auth-file", At("auth.json")]);

    private void WriteFolder(string folder)
    {
        _certificate = SiteCertificate.New();
        foreach (var (name, text) in new[]
        {
            ("user-data", Told), ("Dockerfile", Dockerfile), ("lookup.json", "{}\n"), ("certs/site.crt", _certificate), ("overlay/files/etc/site/note", "site\n"),
            ("overlay/files-iso/site.txt", "medium\n"),
            ("content-a/apps.tar.zst", "content"), (".edge-custom-config.yaml", "edge: settings\n"), ("spc.tgz", "definition"),
        })
        {
            Write($"{folder}/{name}", text);
        }

        using (var file = File.Create(At($"{folder}/local-ui.tar")))
        {
            FileTree.Empty.With(LiveSample.File("ui/index.html", "ui")).WriteTarAsync(file, 0, Cancellation).GetAwaiter().GetResult();
        }

        Write($"{folder}/.arg", $"""
            CUSTOM_TAG=demo
            IMAGE_REGISTRY={_registry.Host}
            OS_DISTRIBUTION=ubuntu
            IMAGE_REPO=$OS_DISTRIBUTION
            OS_VERSION=22.04
            K8S_DISTRIBUTION=k3s
            ISO_NAME=palette-edge-installer
            ARCH=amd64
            PE_VERSION=v4.6.1
            BASE_IMAGE={_registry.Host}/base/os:1
            SPECTRO_PUB_REPO={_registry.Host}
            CLUSTERCONFIG=spc.tgz
            BRANDING="Acme Edge"
            FORCE_INTERACTIVE_INSTALL=true
            DEBUG=true
            CUSTOM_ARG_BRAND=acme
            HTTPS_PROXY=http://proxy.example.org:3128
            UPDATE_KERNEL=false

            """);
    }

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllText(At(name), text);
    }

    private string At(string name) => Path.Combine(_crust.Folder, name);
}
