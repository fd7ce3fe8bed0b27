using System.Collections.Immutable;
using Crust.Formats;
using Crust.Formats.Headers;
using Crust.Registries;
using Crust.Spec;

namespace Crust.Tests.Registries;

public sealed class PublishTargetTests
{
    private static readonly string Key = "0123456789ab" + new string('c', 52);

    [TestCase("kubevirt", "r.example.com:5000/a/b:edge-0123456789ab", "r.example.com:5000/a/b:edge-0123456789ab-amd64")]
    [TestCase("vmdk", "r.example.com:5000/a/b:edge-0123456789ab-vmdk", "r.example.com:5000/a/b:edge-0123456789ab-vmdk-amd64")]
    [TestCase("img.zst", "r.example.com:5000/a/b:edge-0123456789ab-img.zst", "r.example.com:5000/a/b:edge-0123456789ab-img.zst-amd64")]
    public void A_tag_is_made_of_name_build_key_and_format(string format, string index, string image)
    {
        var target = Of(new() { Repository = "r.example.com:5000/a/b" }, format);

        Assert.That(($"{target.Index}", $"{target.Image}"), Is.EqualTo((index, image)));
        Assert.That(target.Index.Registry, Is.EqualTo("r.example.com:5000"));
    }

    [Test]
    public void The_users_tag_takes_the_place_of_name_and_build_key() =>
        Assert.That($"{Of(new() { Repository = "localhost/b", Tag = "v1.2" }, "vmdk").Index}", Is.EqualTo("localhost/b:v1.2-vmdk"));

    [Test]
    public void A_formats_own_reference_is_taken_as_it_is()
    {
        var publish = new PublishSpec { Repository = "localhost/b", Tag = "v1.2" };
        var target = Of(publish with { Images = publish.Images.Add("vmdk", "docker.io/x/y:z") }, "vmdk");

        Assert.That(($"{target.Index}", $"{target.Image}"), Is.EqualTo(("docker.io/x/y:z", "docker.io/x/y:z-amd64")));
        Assert.That($"{Of(publish with { Images = publish.Images.Add("vmdk", "docker.io/x/y") }, "vmdk").Index}", Is.EqualTo("docker.io/x/y:v1.2-vmdk"));
    }

    [Test]
    public void The_longest_name_still_has_a_tag() =>
        Assert.That(PublishTarget.Of(new BuildSpec { Publish = new() { Repository = "localhost/b" } }, ImageFormats.Named("img.zst"), new string('a', 99) + "+", Key).Image.Tag, Has.Length.EqualTo(127).And.Contain("a_-"));

    [TestCase("https://r.example.com/a", "is a URL, and a repository has no scheme")]
    [TestCase("r.example.com/a@sha256:00", "names a digest, which only the registry can tell")]
    [TestCase("r.example.com/Edge", "has capital letters in its path, which registries don't take")]
    [TestCase("r.example.com", "isn't a repository")]
    [TestCase("r.example.com/a b", "isn't a repository")]
    [TestCase("edge/images", "doesn't say in which registry: 'edge' is no host's name with a dot or a port")]
    [TestCase("r.example.com/a:1", "has a tag, and it names a repository for several images")]
    public void A_repository_that_is_none_is_told(string repository, string what)
    {
        var error = Assert.Throws<CrustException>(() => Of(new() { Repository = repository }, "vmdk"))!;

        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.BadInput, $"'{repository}' {what}")));
    }

    [TestCase("a/b")]
    [TestCase("-a")]
    [TestCase("a b")]
    public void A_tag_that_is_none_is_told(string tag) =>
        Assert.That(Assert.Throws<CrustException>(() => Of(new() { Repository = "localhost/b", Tag = tag }, "vmdk"))!.What, Is.EqualTo($"'{tag}-vmdk' can't be a tag"));

    [TestCase("vmdk", "VMDK_IMG")]
    [TestCase("kubevirt", "QCOW2_IMG")]
    public void Without_a_repository_the_user_is_told_what_to_set(string format, string variable) =>
        Assert.That(Assert.Throws<CrustException>(() => Of(new(), format))!.Remedy, Is.EqualTo($"set publish.repository or REPO to registry/path, or {variable} to registry/path:tag"));

    [Test]
    public void A_format_says_itself_how_registries_name_it()
    {
        var format = new MadeUpFormat { Registry = new() { ReferenceVariable = "MADE_UP_IMG", HasTagAsGiven = true } };
        var spec = new SpecReader([new(format.Name, format.Registry.ReferenceVariable)]).Read(new SpecSources
        {
            CurrentFolder = "/",
            Environment = ImmutableDictionary<string, string>.Empty.Add("MADE_UP_IMG", "localhost/a"),
        });

        Assert.That($"{PublishTarget.Of(spec, format, "edge", Key).Index}", Is.EqualTo("localhost/a:edge-0123456789ab"));
        Assert.That($"{PublishTarget.Of(spec, new MadeUpFormat(), "edge", Key).Index}", Is.EqualTo("localhost/a:edge-0123456789ab-made-up"));
        Assert.That(Assert.Throws<CrustException>(() => PublishTarget.Of(new BuildSpec(), format, "edge", Key))!.Remedy, Does.EndWith("or MADE_UP_IMG to registry/path:tag"));
        Assert.That(Assert.Throws<CrustException>(() => PublishTarget.Of(new BuildSpec(), new MadeUpFormat(), "edge", Key))!.Remedy, Does.EndWith("REPO to registry/path"));
    }

    [Test]
    public void What_decides_an_image_decides_its_key_tag()
    {
        string[] tags = [PublishedKey.TagOf(Key, "vmdk", ""), PublishedKey.TagOf(Key, "qcow2", ""), PublishedKey.TagOf(Key, "qcow2", "zlib"), PublishedKey.TagOf(new string('d', 64), "vmdk", "")];

        Assert.That(tags, Is.Unique.And.All.Match("^key-[0-9a-f]{40}$"));
        // Registries hold it: it must stay what it is.
        Assert.That(tags[0], Is.EqualTo("key-d1d25a745c84c43dabc7febdbb2252194532ad67"));
    }

    [TestCase("""time="2026-01-01T00:00:00Z" level=fatal msg="writing blob: Put \"https://s3.example.com/x?X-Amz-Signature=abc\": EOF" """, "writing blob: Put \"https://s3.example.com/x?…\": EOF")]
    [TestCase("""time="2026-01-01T00:00:00Z" level=fatal msg="Get \"https://me:secret@r.example.com/v2/\": EOF" """, "Get \"https://…@r.example.com/v2/\": EOF")]
    [TestCase("first\nlast words\n", "last words")]
    public void Skopeos_last_words_are_told_without_secrets(string error, string words) => Assert.That(RegistryFaults.LastWords(error), Is.EqualTo(words));

    private static PublishTarget Of(PublishSpec publish, string format) => PublishTarget.Of(new BuildSpec { Publish = publish }, ImageFormats.Named(format), "edge", Key);

    private sealed class MadeUpFormat : IImageFormat
    {
        public string Name => "made-up";

        public string Extension => ".made-up";

        public string MediaType => "application/octet-stream";

        public string? QemuDriver => null;

        public RegistryForm Registry { get; init; } = new();

        public ImageSign SignIn(ImageSample file) => ImageSign.None;

        public Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation) => throw new NotSupportedException();
    }
}
