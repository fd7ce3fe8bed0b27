using System.Text;
using Crust.Spec;
using Crust.Trees;

namespace Crust.Appliance;

/// <summary>Picks what the appliance's initramfs holds: programs with their libraries, kernel modules, Crust's own scripts.</summary>
internal sealed class InitramfsContents
{
    private const string BusyBox = "/usr/lib/busybox/busybox";

    private readonly PackageTree _tree;
    private readonly BuilderFolder _source;
    private readonly string _libraries;

    public InitramfsContents(PackageTree tree, BuilderFolder source)
    {
        _tree = tree;
        _source = source;
        _libraries = $"/usr/lib/{(source.Arch is Arch.Amd64 ? "x86_64" : "aarch64")}-linux-gnu";
        KernelPath = tree.Below("/boot").FirstOrDefault(path => path.StartsWith("/boot/vmlinuz-", StringComparison.Ordinal))
            ?? throw PackageTree.Missing("/boot/vmlinuz-*");
        Release = KernelPath["/boot/vmlinuz-".Length..];
    }

    /// <summary>The kernel's path in the packages.</summary>
    public string KernelPath { get; }

    /// <summary>The kernel's release, such as `6.1.0-56-amd64`.</summary>
    public string Release { get; }

    private string ModuleFolder => $"/lib/modules/{Release}";

    /// <summary>Unpacks the modules of `modules.list` for depmod, which makes the indexes for just these.</summary>
    public void ExtractModules(string folder)
    {
        string Text(string name) => Encoding.UTF8.GetString(_tree.Read($"{ModuleFolder}/{name}"));
        var modules = new KernelModules(Text("modules.dep"), Text("modules.builtin")).Resolve(_source.List("modules.list"));
        foreach (var name in modules.Concat(["modules.builtin", "modules.builtin.modinfo", "modules.order"]))
        {
            var path = Path.Combine(folder, ModuleFolder[1..], name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, _tree.Read($"{ModuleFolder}/{name}"));
        }
    }

    /// <summary>Everything, with the modules from the folder in which depmod was.</summary>
    public CpioArchive Archive(string modules)
    {
        var archive = new CpioArchive();
        foreach (var folder in (string[])["/dev", "/proc", "/sys", "/run", "/tmp", "/mnt"])
        {
            archive.AddFolder(folder);
        }

        foreach (var folder in (string[])["bin", "sbin", "lib", "lib64"])
        {
            archive.AddFolder("/usr/" + folder);
            archive.AddLink("/" + folder, "usr/" + folder);
        }

        archive.AddDevice("/dev/console", 5, 1);
        archive.AddFile(BusyBox, _tree.Read("/bin/busybox"), executable: true);
        foreach (var program in _source.List("programs.list"))
        {
            AddProgram(archive, program);
        }

        foreach (var path in Directory.EnumerateFiles(modules, "*", SearchOption.AllDirectories))
        {
            archive.AddFile("/usr/" + Path.GetRelativePath(modules, path), File.ReadAllBytes(path), executable: false);
        }

        archive.AddFile("/init", File.ReadAllBytes(_source.PathOf("init")), executable: true);
        foreach (var name in new[] { "lib.sh", "volumes.sh", "layout.sh", "layout.gpt.sh", "layout.raspberry-pi.sh", "await.sh" })
        {
            archive.AddFile($"/crust/{name}", File.ReadAllBytes(_source.PathOf(name)), executable: false);
        }

        foreach (var folder in (string[])["jobs", "disk"])
        {
            foreach (var (name, path) in _source.Files(folder))
            {
                archive.AddFile($"/crust/{folder}/{name}", File.ReadAllBytes(path), executable: false);
            }
        }

        return archive;
    }

    // A link stays a link, so that a program that looks at its own name (modprobe is kmod) still knows what it is to do.
    private void AddProgram(CpioArchive archive, string name)
    {
        var path = name.StartsWith('/') ? name : $"{_libraries}/{name}";
        var place = InUsr(path);
        if (archive.Contains(place))
        {
            return;
        }

        var real = _tree.Resolve(path) ?? throw PackageTree.Missing(path);
        if (InUsr(real) != place)
        {
            archive.AddLink(place, InUsr(real));
            AddProgram(archive, real);
            return;
        }

        var content = _tree.Read(real);
        var elf = ElfFile.TryRead(TreeContent.Of(content));
        archive.AddFile(place, content, executable: !place.StartsWith("/etc/", StringComparison.Ordinal));
        foreach (var need in elf is null ? [] : elf.Interpreter is { } loader ? elf.Needed.Add(loader) : elf.Needed)
        {
            AddProgram(archive, need);
        }
    }

    private static string InUsr(string path) =>
        path.StartsWith("/bin/", StringComparison.Ordinal) || path.StartsWith("/sbin/", StringComparison.Ordinal) || path.StartsWith("/lib", StringComparison.Ordinal)
            ? "/usr" + path
            : path;
}
