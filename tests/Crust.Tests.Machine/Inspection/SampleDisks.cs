namespace Crust.Tests.Machine.Inspection;

/// <summary>A partition of a disk that a test makes.</summary>
/// <param name="Type">sgdisk's code for its type.</param>
/// <param name="Name">Its name in the table.</param>
/// <param name="Size">Its size in MiB.</param>
/// <param name="File">What is on it: a file of at most that size; null for nothing.</param>
internal sealed record SamplePartition(string Type, string Name, int Size, string? File);

/// <summary>Makes disks and what is on them with Debian's own tools. Only LVM takes root.</summary>
internal sealed class SampleDisks(string folder, CancellationToken cancellation)
{
    // As one reads them on a host with neither udev nor a device mapper.
    private const string LvmConfig =
        "devices { obtain_device_list_from_udev=0 external_device_info_source=\"none\" use_devicesfile=0 } backup { backup=0 archive=0 } global { event_activation=0 } activation { udev_sync=0 }";

    public string PathOf(string name) => Path.Combine(folder, name);

    /// <summary>The root of a small Linux system: os-release, /proc, and files by path and content.</summary>
    public string System(string name, string prettyName, params (string Path, string Content)[] files)
    {
        var root = PathOf(name);
        foreach (var below in new[] { "etc", "proc", "usr/bin", "var/log", "tmp", "root" })
            Directory.CreateDirectory(Path.Combine(root, below));
        return Folder(name, [("etc/os-release", $"PRETTY_NAME=\"{prettyName}\"\nID=sample\nVERSION_ID=\"7\"\n"), .. files]);
    }

    /// <summary>A folder with files by path and content.</summary>
    public string Folder(string name, params (string Path, string Content)[] files)
    {
        foreach (var (path, content) in files)
        {
            var file = Path.Combine(PathOf(name), path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, content);
        }

        return PathOf(name);
    }

    /// <summary>A database of rpm with one package, in SQLite's format, as Fedora and its kin have it: made by rpm itself of a package that has no files.</summary>
    public async Task RpmDatabaseAsync(string name, string version, string folder)
    {
        var work = Directory.CreateDirectory(PathOf($"{name}.rpm")).FullName;
        var spec = Path.Combine(work, "sample.spec");
        await File.WriteAllTextAsync(spec, $"Name: {name}\nEpoch: 2\nVersion: {version}\nRelease: 3.fc40\nSummary: a sample\nLicense: MIT\nBuildArch: noarch\n%description\nA sample.\n%files\n", cancellation);
        await RunAsync("rpmbuild", "-bb", "--quiet", "--define", $"_topdir {work}/top", "--define", $"_rpmdir {work}", spec);
        await RunAsync("rpm", "--dbpath", folder, "--define", "_db_backend sqlite", "--justdb", "--nodeps", "--ignorearch", "-i", $"{work}/noarch/{name}-{version}-3.fc40.noarch.rpm");
    }

    public async Task<string> ExtAsync(string type, string label, int size, string content)
    {
        var file = await EmptyAsync($"{label}.{type}", size);
        await RunAsync("mke2fs", "-q", "-t", type, "-L", label, "-d", content, file);
        return file;
    }

    public async Task<string> VfatAsync(string label, int size, string content)
    {
        var file = await EmptyAsync($"{label}.vfat", size);
        await RunAsync("mkfs.vfat", "-n", label, file);
        await RunAsync("mcopy", ["-s", "-i", file, .. Directory.GetFileSystemEntries(content), "::"]);
        return file;
    }

    public async Task<string> BtrfsAsync(string label, int size, string content)
    {
        var file = await EmptyAsync($"{label}.btrfs", size);
        await RunAsync("mkfs.btrfs", "-q", "-f", "-L", label, "-r", content, file);
        return file;
    }

    public async Task<string> SquashfsAsync(string name, string content)
    {
        await RunAsync("mksquashfs", content, PathOf(name), "-quiet", "-no-progress", "-noappend", "-all-root");
        return PathOf(name);
    }

    /// <summary>An XFS with a folder's files, which mkfs.xfs takes from a list (mkfs.xfs(8), "-p protofile").</summary>
    public async Task<string> XfsAsync(string label, int size, string content)
    {
        var file = await EmptyAsync($"{label}.xfs", size);
        var list = PathOf($"{label}.proto");
        await File.WriteAllTextAsync(list, $"/\n0 0\nd--755 0 0\n{string.Concat(Proto(content))}$\n", cancellation);
        await RunAsync("mkfs.xfs", "-q", "-f", "-L", label, "-p", list, file);
        return file;
    }

    /// <summary>A swap area.</summary>
    public async Task<string> SwapAsync(string label, int size)
    {
        var file = await EmptyAsync($"{label}.swap", size);
        await RunAsync("mkswap", "-q", "-L", label, file);
        return file;
    }

    /// <summary>A LUKS header, version 1: enough for others to know it.</summary>
    public async Task<string> LuksAsync(int size)
    {
        var file = await EmptyAsync("luks", size);
        await using var stream = File.OpenWrite(file);
        await stream.WriteAsync(new byte[] { (byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xba, 0xbe, 0, 1 }, cancellation);
        return file;
    }

    /// <summary>A physical volume with logical ones, each with a file on it. By lvm's own programs, which take a block device, and so root.</summary>
    public async Task<string> LvmAsync(string group, int size, params (string Name, int Size, string File)[] volumes)
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Ignore("a loop device takes root");
        var file = await EmptyAsync($"{group}.lvm", size);
        var loop = (await RunAsync("losetup", "-f", "--show", file)).Trim();
        try
        {
            async Task Lvm(params string[] arguments) => await RunAsync("lvm", [arguments[0], "-q", "-y", "--devices", loop, "--config", LvmConfig, .. arguments[1..]]);
            await Lvm("pvcreate", loop);
            await Lvm("vgcreate", group, loop);
            foreach (var (name, megabytes, _) in volumes)
                await Lvm("lvcreate", "--driverloaded", "n", "-an", "-Zn", "-Wn", "-n", name, "-L", $"{megabytes}M", group);
        }
        finally
        {
            await RunAsync("losetup", "-d", loop);
        }

        // Extents begin behind the first MiB, and those of a fresh group follow each other.
        var at = 1;
        foreach (var (_, megabytes, content) in volumes)
        {
            await CopyAsync(content, file, at);
            at += megabytes;
        }

        return file;
    }

    /// <summary>A disk with a GPT and its partitions, and boot code in its first sector if there is any.</summary>
    public async Task<string> DiskAsync(string name, byte[]? bootCode, params SamplePartition[] partitions)
    {
        var disk = await EmptyAsync(name, partitions.Sum(partition => partition.Size) + 2);
        var (start, arguments) = (1, new List<string>());
        foreach (var (partition, number) in partitions.Select((partition, i) => (partition, i + 1)))
        {
            arguments.AddRange([$"--new={number}:{start}M:+{partition.Size}M", $"--typecode={number}:{partition.Type}", $"--change-name={number}:{partition.Name}"]);
            if (partition.File is not null)
                await CopyAsync(partition.File, disk, start);
            start += partition.Size;
        }

        await RunAsync("sgdisk", [.. arguments, disk]);
        if (bootCode is not null)
        {
            await using var file = File.OpenWrite(disk);
            await file.WriteAsync(bootCode, cancellation);
        }

        return disk;
    }

    /// <summary>The bytes of a partition, for its own checker.</summary>
    public async Task<string> PartitionAsync(string disk, int start, int size, string name)
    {
        await RunAsync("dd", "status=none", $"if={disk}", $"of={PathOf(name)}", "bs=1M", $"skip={start}", $"count={size}");
        return PathOf(name);
    }

    public async Task<string> EmptyAsync(string name, int size)
    {
        await RunAsync("truncate", "-s", $"{size}M", PathOf(name));
        return PathOf(name);
    }

    private Task<string> CopyAsync(string from, string to, int at) => RunAsync("dd", "status=none", "conv=notrunc,sparse", $"if={from}", $"of={to}", "bs=1M", $"seek={at}");

    // All belongs to root. A name with a blank in it can't be said in such a list.
    private static IEnumerable<string> Proto(string below)
    {
        foreach (var entry in new DirectoryInfo(below).EnumerateFileSystemInfos().Where(entry => !entry.Name.Contains(' ')).OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            var mode = entry.UnixFileMode;
            var bits = $"{(mode.HasFlag(UnixFileMode.SetUser) ? 'u' : '-')}{(mode.HasFlag(UnixFileMode.SetGroup) ? 'g' : '-')}{Convert.ToString((int)mode & 0x1ff, 8).PadLeft(3, '0')}";
            if (entry.LinkTarget is { } target)
                yield return $"{entry.Name} l--777 0 0 {target}\n";
            else if (entry is DirectoryInfo)
                yield return $"{entry.Name} d{bits} 0 0\n{string.Concat(Proto(entry.FullName))}$\n";
            else
                yield return $"{entry.Name} -{bits} 0 0 {entry.FullName}\n";
        }
    }

    private Task<string> RunAsync(string program, params string[] arguments) => Host.RunAsync(program, arguments, cancellation);
}
