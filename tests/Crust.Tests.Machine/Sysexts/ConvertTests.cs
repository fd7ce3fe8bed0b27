using System.IO.Compression;
using Crust.Tests.Machine.Guests;
using Crust.Tests.Machine.Layers;
using Crust.Tests.Sysexts.Conversion;
using Crust.Trees;

namespace Crust.Tests.Machine.Sysexts;

/// <summary>
/// Software that was packed for something else, converted by `crust sysext convert` and run on Debian 13: Debian 12's nginx, a program of a root with musl, a program that a command made in
/// a container's root, and a torcx package. One boot proves all.
/// </summary>
[CancelAfter(900_000)]
[Parallelizable(ParallelScope.Self)]
public sealed class ConvertTests
{
    // A program with a library of its own. It says which C library it has, who it is, and what it finds at the paths that it is given.
    private const string Program = """
        #include <stdio.h>
        #include <unistd.h>

        const char *greeting(void);

        int main(int count, char **paths)
        {
            char self[512] = {0};
            readlink("/proc/self/exe", self, sizeof self - 1);
        #ifdef __GLIBC__
            const char *library = "glibc";
        #else
            const char *library = "musl";
        #endif
            printf("%s from %s as %d of %s\n", greeting(), library, (int)getuid(), self);
            for (int i = 1; i < count; i++) {
                char line[128];
                FILE *file = fopen(paths[i], "r");
                printf("%s: %s\n", paths[i], file && fgets(line, sizeof line, file) ? line : "nothing");
            }
            return 0;
        }

        """;

    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeTearDown]
    public void RemoveFiles() => _crust.Dispose();

    [Test]
    public async Task What_was_converted_runs_on_another_distribution()
    {
        _crust.ShareDearThings();
        var guest = SystemdGuest.OfAsync("trixie", Cancellation);
        await MakeMuslRootAsync();
        await MakeTorcxPackageAsync();
        await MakeImageAsync();

        // bwrap lies aside, so that both ways into a wrapped root are taken.
        await ConvertAsync("web", "flix", "--packages", "nginx,bubblewrap", "--program", "/usr/sbin/nginx", "--program", "/usr/bin/bwrap:/usr/lib/web/aside/bwrap", "--unit", "nginx.service", "--path", "/etc/nginx",
            "--path", "/usr/share/nginx", "--path", "/var/lib/nginx", "--path", "/var/log/nginx", "--profile", "debian", "--os-version", "13");
        await ConvertAsync("greet", "flix", "musl", "--program", "/usr/bin/greet:/usr/bin/greet-flix");
        await ConvertAsync("wrapped", "flatwrap", "musl", "--program", "/usr/bin/greet", "--etc-map", "chroot", "--var-map", "none");
        await ConvertAsync("made", "oci-rootfs", "image", "--run", "printf '#!/bin/sh\\necho made in %s by %s\\n' $PWD \"$MAKER\" >/usr/bin/made && chmod 755 /usr/bin/made && echo done", "--network", "none", "--path", "/usr/bin/made");
        await ConvertAsync("torcx", "torcx", "hello:1.0.torcx.tgz");

        var files = new List<(string, byte[])> { ("/etc/nginx/conf.d/page.conf", "server { listen 127.0.0.1:8080; root /usr/share/nginx/html; }\n"u8.ToArray()), ("/etc/greeting", "the system's\n"u8.ToArray()), ("/var/greeting", "the system's\n"u8.ToArray()) };
        foreach (var extension in Directory.EnumerateFiles(_crust.Images, "*.raw"))
        {
            // The version in a file's name is for an index.
            files.Add(($"/etc/extensions/{Path.GetFileNameWithoutExtension(extension).Split('-')[0]}.raw", await File.ReadAllBytesAsync(extension, Cancellation)));
        }

        var said = await (await guest).RunAsync(files, """
            systemd-sysext merge
            systemctl daemon-reload
            systemd-tmpfiles --create web-extension.conf
            . /etc/os-release && echo "this is $ID $VERSION_ID"

            systemctl start nginx.service
            busybox wget -q -O - http://127.0.0.1:8080/ | grep -i '<title>'
            echo "web: $(systemctl is-active nginx.service) $(systemctl show -P Upholds multi-user.target)"
            grep -o '/[^ ]*libc\.so.*' /proc/$(cat /run/nginx.pid)/maps | sort -u

            echo own >/root/greeting
            greet-flix /etc/greeting
            cd /root
            greet /etc/greeting /var/greeting /root/greeting greeting
            chmod 711 /root
            as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
            cd /
            echo unshare
            as_nobody greet /etc/greeting /var/greeting /root/greeting
            echo bwrap
            # It changes the root, which nobody can where that is an initramfs.
            mkdir /new
            unshare --mount sh -euc 'mount --rbind / /new; cd /new; mount --move . /; exec chroot . "$@"' sh setpriv --reuid=65534 --regid=65534 --clear-groups env PATH=/usr/lib/web/aside:$PATH \
                sh -x /usr/lib/wrapped/enter /usr/bin/greet /etc/greeting /var/greeting /root/greeting 2>&1 | sed 's/^+ exec bwrap.*/by bwrap/'

            made
            systemctl start hello.service
            cat /run/hello
            """, Cancellation);

        await TestContext.Out.WriteLineAsync(said);
        Assert.That(said, Does.Contain("this is debian 13\n"));
        Assert.That(said, Does.Contain("<title>Welcome to nginx!</title>\n").And.Contain("web: active ").And.Match("web: active .*hello.service").And.Match("web: active .*nginx.service"));
        Assert.That(said, Does.Contain("\n/usr/lib/web/lib/libc.so.6\n").And.Not.Contain("/usr/lib/x86_64-linux-gnu/libc.so"), "its own C library, and none of the system's");
        Assert.That(said, Does.Contain("hello from musl as 0 of /usr/bin/greet-flix\n/etc/greeting: the system's\n"));
        Assert.That(said, Does.Contain("hello from musl as 0 of /usr/bin/greet\n/etc/greeting: the root's\n\n/var/greeting: nothing\n/root/greeting: own\n\ngreeting: own\n"));
        const string asNobody = "hello from musl as 65534 of /usr/bin/greet\n/etc/greeting: the root's\n\n/var/greeting: nothing\n/root/greeting: own\n";
        Assert.That(said, Does.Contain("unshare\n" + asNobody).And.Match($@"bwrap\n[\s\S]*by bwrap\n{asNobody}"));
        Assert.That(said, Does.Contain("made in /srv by a container\n"));
        Assert.That(said, Does.Contain("hello from torcx in /usr/bin\n"));
    }

    // Debian's musl, with nothing of glibc.
    private async Task MakeMuslRootAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(_crust.Folder, "greet.c"), Program, Cancellation);
        await Host.RunAsync("sh", ["-euc", """
            cd "$1"
            mkdir -p musl/lib musl/usr/lib musl/usr/bin musl/etc musl/var musl/root
            cp -L /lib/ld-musl-x86_64.so.1 musl/lib/
            ln -s ld-musl-x86_64.so.1 musl/lib/libc.musl-x86_64.so.1
            echo "the root's" >musl/etc/greeting
            echo 'const char *greeting(void) { return "hello"; }' >library.c
            musl-gcc -shared -fPIC -o musl/usr/lib/libgreeting.so library.c
            musl-gcc -o musl/usr/bin/greet greet.c -Lmusl/usr/lib -lgreeting
            """, "sh", _crust.Folder], Cancellation);
    }

    private async Task MakeTorcxPackageAsync()
    {
        var package = FileTree.Empty.With(
            TreeEntry.File(".torcx/manifest.json", TreeContent.Of("""{"kind":"image-manifest-v0","value":{"bin":["/bin/hello"],"units":["/lib/systemd/system/hello.service","/lib/systemd/system/multi-user.target.wants"]}}""")),
            TreeEntry.File("bin/hello", TreeContent.Of("#!/bin/sh\necho \"hello from torcx in $1\" >/run/hello\n"), TreeEntry.Executable),
            TreeEntry.File("lib/systemd/system/hello.service", TreeContent.Of("[Unit]\nAfter=torcx.target\nRequires=torcx.target\n[Service]\nType=oneshot\nRemainAfterExit=yes\nEnvironmentFile=/run/metadata/torcx\nExecStart=/usr/bin/env PATH=${TORCX_BINDIR}:${PATH} hello ${TORCX_BINDIR}\n")),
            TreeEntry.Symlink("lib/systemd/system/multi-user.target.wants/hello.service", "../hello.service"));
        await using var gzip = new GZipStream(File.Create(Path.Combine(_crust.Folder, "hello:1.0.torcx.tgz")), CompressionLevel.Fastest);
        await package.WriteTarAsync(gzip, 0, Cancellation);
    }

    private async Task MakeImageAsync()
    {
        var root = Path.Combine(_crust.Folder, "container");
        await RealLayers.AddProgramsAsync(root, Cancellation, "/usr/bin/dash", "/usr/bin/chmod");
        File.CreateSymbolicLink(Path.Combine(root, "usr/bin/sh"), "dash");
        File.CreateSymbolicLink(Path.Combine(root, "bin"), "usr/bin");
        Directory.CreateDirectory(Path.Combine(root, "srv"));
        await ImageSample.WriteAsync(Path.Combine(_crust.Folder, "image"), [FileTree.FromFolder(root)], """{"Env":["PATH=/usr/bin","MAKER=a container"],"WorkingDir":"/srv"}""", Cancellation);
    }

    private async Task ConvertAsync(string name, params string[] arguments)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        string[] named = arguments[0] == "torcx" ? [] : ["--name", name];
        var result = await _crust.RunAsync(Cancellation, ["sysext", "convert", .. arguments, .. named, "--output", _crust.Images]);
        await TestContext.Out.WriteLineAsync($"{name}: {watch.Elapsed.TotalSeconds:0.0} s\n{result.Error}");
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Error, Does.Not.Contain("warning: "), "nothing that the checks object to");
    }
}
