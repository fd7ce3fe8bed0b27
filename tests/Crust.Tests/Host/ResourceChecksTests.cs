using Crust.Host;
using Crust.Spec;

namespace Crust.Tests.Host;

public sealed class ResourceChecksTests : HostFixture
{
    [TestCase(2, 2, Gravity.Fine, "2 cores; the machine has 2", null)]
    [TestCase(1, 1, Gravity.Fine, "1 core; the machine has 1", null)]
    [TestCase(8, 2, Gravity.Warning, "The machine has 8 CPUs and this host has 2 cores: they will wait for each other", "set machine.cpus (--cpus) to 2 or less")]
    public async Task More_CPUs_than_cores_are_a_warning(int cpus, int cores, Gravity gravity, string what, string? remedy) =>
        Check((await new CoresCheck(cores).FindAsync(HostSample.Question(new BuildSpec { Machine = new() { Cpus = cpus } }), default)).Single(), gravity, what, remedy);

    [Test]
    public async Task Memory_that_fits_is_fine() => Check(await MemoryAsync(4), Gravity.Fine, "12.0 GiB available; the machine has 4.0 GiB", null);

    [Test]
    public async Task More_memory_than_the_host_has_in_all_is_a_problem() =>
        Check(await MemoryAsync(17), Gravity.Problem, "The machine's memory of 17.0 GiB doesn't fit: this host has 16.0 GiB in all", "set machine.memory (--memory) to 16128M or less");

    [Test]
    public async Task More_memory_than_is_available_is_a_warning()
    {
        var finding = await MemoryAsync(12);

        Check(finding, Gravity.Warning, "Memory is tight: the machine has 12.0 GiB and QEMU needs some beside, but 12.0 GiB are available in this host; Linux may kill QEMU",
            "end other programs, or set machine.memory (--memory) to 12032M or less");
        Assert.That(finding.Where, Is.EqualTo("machine.memory"));
    }

    [Test]
    public async Task Swap_counts_as_memory()
    {
        Sample.Write("proc/meminfo", HostSample.Memory(total: 16, available: 12, swap: 4));

        Assert.That((await MemoryAsync(15)).Gravity, Is.EqualTo(Gravity.Fine));
    }

    [TestCase("0::/", "sys/fs/cgroup/memory.max")]
    [TestCase("0::/outer/inner", "sys/fs/cgroup/outer/memory.max")]
    [TestCase("4:memory:/", "sys/fs/cgroup/memory/memory.limit_in_bytes")]
    [TestCase("0::/\n7:cpu,memory:/outer", "sys/fs/cgroup/memory/outer/memory.limit_in_bytes")]
    public async Task A_containers_limit_is_what_it_has(string groups, string file)
    {
        Sample.Write("proc/self/cgroup", groups + "\n");
        Sample.Write(file, $"{3L << 30}\n");

        var finding = await MemoryAsync(4);

        Check(finding, Gravity.Problem, "The machine's memory of 4.0 GiB doesn't fit: this container has 3.0 GiB in all",
            "raise the container's limit, or set machine.memory (--memory) to 2816M or less");
        Assert.That(finding.Where, Is.EqualTo("/" + file));
    }

    [Test]
    public async Task What_a_container_has_in_use_is_not_available_but_cached_files_are()
    {
        Sample.Write("proc/self/cgroup", "0::/\n");
        Sample.Write("sys/fs/cgroup/memory.max", $"{6L << 30}\n");
        Sample.Write("sys/fs/cgroup/memory.current", $"{5L << 30}\n");
        Sample.Write("sys/fs/cgroup/memory.stat", $"anon 1\ninactive_file {2L << 30}\n");

        Assert.That((await MemoryAsync(4)).What, Does.Contain("but 3.0 GiB are available in this container"));
        Assert.That((await MemoryAsync(2)).Gravity, Is.EqualTo(Gravity.Fine));
    }

    [TestCase("0::/", "sys/fs/cgroup/memory.max", "max")]
    [TestCase("4:memory:/", "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712")]
    public async Task A_group_without_a_limit_limits_nothing(string groups, string file, string limit)
    {
        Sample.Write("proc/self/cgroup", groups + "\n");
        Sample.Write(file, limit + "\n");

        Assert.That((await MemoryAsync(4)).What, Is.EqualTo("12.0 GiB available; the machine has 4.0 GiB"));
    }

    [Test]
    public async Task Memory_that_nobody_tells_of_is_no_problem()
    {
        Sample.Write("proc/meminfo", "");

        Check(await MemoryAsync(4), Gravity.Note, "This host doesn't tell how much memory it has", null);
    }

    [TestCase(".dockerenv", "", "Docker")]
    [TestCase("run/.containerenv", "", "Podman")]
    [TestCase("run/systemd/container", "lxc\n", "lxc")]
    public async Task A_container_is_named(string file, string content, string kind)
    {
        Sample.Write(file, content);

        Check((await new ContainerCheck(Sample.Files).FindAsync(HostSample.Question(), default)).Single(), Gravity.Note, $"Crust runs in a container ({kind})", null);
    }

    [Test]
    public async Task Outside_of_a_container_there_is_nothing_to_say() =>
        Assert.That(await new ContainerCheck(Sample.Files).FindAsync(HostSample.Question(), default), Is.Empty);

    private static void Check(Finding finding, Gravity gravity, string what, string? remedy) =>
        Assert.That((finding.Gravity, finding.What, finding.Remedy), Is.EqualTo((gravity, what, remedy)));

    private async Task<Finding> MemoryAsync(int gib) =>
        (await new MemoryCheck(Sample.Files).FindAsync(HostSample.Question(new BuildSpec { Machine = new() { Memory = (long)gib << 30 } }), default)).Single();
}
