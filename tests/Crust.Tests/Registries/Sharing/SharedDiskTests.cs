using Crust.Tests.Formats;

namespace Crust.Tests.Registries.Sharing;

/// <summary>Installed disks of machines that share Debian's registry as a cache.</summary>
[CancelAfter(300_000)]
public sealed class SharedDiskTests : RegistryFixture
{
    private SharedHome _first = null!;
    private SharedHome _second = null!;

    [SetUp]
    public void MakeHomes()
    {
        var repository = $"{NewRepository()}/cache";
        (_first, _second) = (new SharedHome(repository, seed: 1), new SharedHome(repository, seed: 2));
    }

    [TearDown]
    public void RemoveHomes()
    {
        _first.Dispose();
        _second.Dispose();
    }

    [Test]
    public async Task The_second_machine_takes_the_disk_of_the_first_with_all_that_is_known_of_it()
    {
        var one = await _first.BuildAsync();
        var other = await _second.BuildAsync();

        Assert.That((_first.Installs, _second.Installs), Is.EqualTo((1, 0)));
        Assert.That((other.Content, other.Size, other.FromCache), Is.EqualTo((one.Content, SharedHome.Size, true)));
        await SampleImages.RunAsync("cmp", one.Path, other.Path);
        Assert.That(other.Allocated, Is.EqualTo(one.Allocated).And.LessThan(6 << 20), "holes stay holes");
        Assert.That((other.Install.Seconds, other.Install.CommandLine, string.Join(", ", other.Install.Warnings)), Is.EqualTo((1, "qemu-system-x86_64", "slow")));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(other.RunFolder, "serial.log"), Cancellation), Is.EqualTo("machine 1"));
        Assert.That(await File.ReadAllBytesAsync(Path.Combine(other.RunFolder, "screens", "0001.png"), Cancellation), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(File.GetUnixFileMode(other.Path), Is.EqualTo(File.GetUnixFileMode(one.Path)));
        Assert.That(_second.Files, Is.EqualTo(_first.Files), "and nothing else is left");
        Assert.That(other.From, Does.Match($"^{_second.Spec.Cache}@sha256:[0-9a-f]{{64}}$"));
        Assert.That(_first.Said, Is.EqualTo(new[] { "it isn't there", $"pushed {other.From!.Split('@')[1]}" }));
        Assert.That(_second.Said, Is.EqualTo(new[] { $"pulled {other.From}" }));
        Assert.That(_first.Warnings.Concat(_second.Warnings), Is.Empty);
    }

    [Test]
    public async Task A_disk_in_this_machines_own_cache_asks_no_registry_but_whether_to_push_it()
    {
        await _first.BuildAsync();
        Front.Forget();

        var again = await _first.BuildAsync();

        Assert.That((_first.Installs, again.From, _first.Said[^1]), Is.EqualTo((1, (string?)null, $"already there, nothing pushed: {_first.Said[1].Split(' ')[1]}")));
        Assert.That(Front.Writes, Is.Empty);
        Assert.That(Front.Requests, Has.Count.EqualTo(2), "/v2/ and the manifest");
    }

    [Test]
    public async Task A_disk_that_was_there_before_the_cache_was_is_pushed()
    {
        var spec = _first.Spec;
        _first.Spec = spec with { Cache = null };
        await _first.BuildAsync();
        Assert.That(Front.Requests, Is.Empty, "a build without such a cache asks nobody");
        _first.Spec = spec;

        await _first.BuildAsync();
        await _second.BuildAsync();

        Assert.That((_first.Installs, _second.Installs), Is.EqualTo((1, 0)));
    }

    [Test]
    public async Task Of_two_machines_that_install_at_once_the_first_one_to_push_stays()
    {
        var one = await _first.BuildAsync(beforePush: () => _second.BuildAsync());
        using var third = new SharedHome(_first.Spec.Cache!, seed: 3);

        var pulled = await third.BuildAsync();

        Assert.That((_first.Installs, _second.Installs, third.Installs), Is.EqualTo((1, 1, 0)));
        Assert.That(_first.Said[^1], Is.EqualTo($"already there, nothing pushed: {pulled.From!.Split('@')[1]}"));
        Assert.That((pulled.Content != one.Content, pulled.Install.Seconds), Is.EqualTo((true, 2)));
    }

    [TestCase("/manifests/sha256:", "another machine has pushed it meanwhile", 2)]
    [TestCase("/manifests/disk-", "pushed sha256:", 1)]
    public async Task Of_two_machines_that_push_at_the_same_moment_one_whole_disk_stays(string write, string said, int stays)
    {
        var second = true;
        Front.Do = (method, path) => method == "PUT" && path.Contains(write) && second
            ? new Fault { Before = () => { second = false; return _second.BuildAsync(); } }
            : null;
        await _first.BuildAsync();
        using var third = new SharedHome(_first.Spec.Cache!, seed: 3);

        var pulled = await third.BuildAsync();

        Assert.That((_first.Installs, _second.Installs, third.Installs, pulled.Install.Seconds), Is.EqualTo((1, 1, 0, stays)));
        Assert.That(_first.Said[^1], Does.StartWith(said));
        Assert.That(_first.Warnings.Concat(_second.Warnings).Concat(third.Warnings), Is.Empty);
    }

    [Test]
    public async Task A_tag_that_moves_between_looking_up_and_pulling_gives_the_disk_that_was_looked_up()
    {
        var one = await _first.BuildAsync();
        var tag = Front.Writes.Last().Split('/')[^1];
        using var elsewhere = new SharedHome($"{NewRepository()}/cache", seed: 4);
        await elsewhere.BuildAsync();
        var moves = 0;
        Front.Do = (method, path) => method == "GET" && path.Contains("/manifests/sha256:") && path.Contains(_first.Spec.Cache!.Split('/')[1]) && Interlocked.Increment(ref moves) == 1
            ? new Fault { Before = () => SampleImages.RunAsync("skopeo", "--insecure-policy", "copy", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false", $"docker://{elsewhere.Spec.Cache}:{tag}", $"docker://{_first.Spec.Cache!.Replace(Front.Host, Registry.Host)}:{tag}") }
            : null;

        var pulled = await _second.BuildAsync();

        Assert.That((moves > 0, _second.Installs, pulled.Content), Is.EqualTo((true, 0, one.Content)));
        using var third = new SharedHome(_first.Spec.Cache!, seed: 3);
        Assert.That((await third.BuildAsync()).Install.Seconds, Is.EqualTo(4), "it has moved");
    }

    [Test]
    public async Task A_disk_of_another_size_under_the_same_key_is_refused()
    {
        _first.Spec = _first.Spec with { Machine = new() { Disk = 32 << 20 } };
        await _first.BuildAsync();

        await _second.BuildAsync();

        Assert.That(_second.Installs, Is.EqualTo(1));
        Assert.That(_second.Warnings.Single(), Does.Contain(" is refused: what lies beside it is about another disk than one of 67109376 bytes"));
        Assert.That(_second.Said[^1], Does.StartWith("pushed sha256:"), "and a right one takes its place");
    }

    [Test]
    public async Task A_tag_that_names_something_else_is_neither_used_nor_moved()
    {
        using var images = await PublishSample.MakeAsync(Front.Host, Crust.Spec.Arch.Amd64, "qcow2");
        await _first.BuildAsync();
        var tag = Front.Writes.Last().Split('/')[^1];
        var published = (await images.PublishAsync()).Images[0];
        var name = $"{_first.Spec.Cache}:{tag}";
        await SampleImages.RunAsync("skopeo", "--insecure-policy", "copy", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false", $"docker://{published.Reference.Replace(":1.0-qcow2-amd64@", "@")}", $"docker://{name}");

        await _second.BuildAsync();

        Assert.That(_second.Installs, Is.EqualTo(1));
        Assert.That(_second.Warnings.Single(), Does.Contain($"what is there as {name} is refused: {published.Digest} isn't an installed disk"));
        Assert.That(_second.Said, Is.EqualTo(new[] { "not used", "not pushed: its tag names something else" }));
    }
}
