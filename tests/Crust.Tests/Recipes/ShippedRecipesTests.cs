using Crust.Recipes;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Tests.Recipes;

/// <summary>The recipes in `builder/recipes`.</summary>
public sealed class ShippedRecipesTests
{
    private static readonly RecipeBook Book = new(Path.Combine(Folders.BuilderBesideProgram, "recipes"), null);

    private static IEnumerable<string> Names => Book.Names;

    [TestCaseSource(nameof(Names))]
    public void Each_reads_has_a_version_and_says_of_each_file_where_it_comes_from(string name)
    {
        var recipe = Book.Get(name);

        Assert.That(recipe.Files, Is.Not.Empty);
        Assert.That(recipe.Downloads.Select(download => download.Name).Except(recipe.Files.Select(file => file.Download)), Is.Empty, "nothing is downloaded for nothing");
        foreach (var version in recipe.Versions)
        {
            Assert.That(version.Sums.Count > 0 || recipe.Downloads.All(download => download.Package is not null), "a version without any sum pins nothing");
            foreach (var (other, pinned) in version.With)
            {
                Assert.That(Book.Get(other).Versions.Select(known => known.Version), Does.Contain(pinned), $"{name} {version.Version} belongs to {other} {pinned}");
            }
        }
    }

    [Test]
    public void What_people_ask_for_is_there() => Assert.That(Names, Is.SupersetOf(new[]
    {
        "kubernetes", "crictl", "cni-plugins", "docker", "docker-compose", "docker-buildx", "containerd", "runc", "crun", "nerdctl", "cri-o", "k3s", "rke2", "tailscale", "wasmtime", "wasmcloud", "keepalived",
        "cilium-cli", "falco", "consul", "nomad", "vault", "nebula", "helm", "flux", "gitops", "crane", "cosign", "oras", "k9s",
    }));

    [TestCaseSource(nameof(Names))]
    public void What_is_only_started_comes_with_a_file_or_has_its_text(string name)
    {
        var recipe = Book.Get(name);
        foreach (var unit in recipe.Units.Where(unit => unit.Text is null))
        {
            Assert.That(recipe.Units.Any(other => other.Name == unit.Name && other is { Text: not null, DropIn: null }) || recipe.Files.Any(file => file.Target.EndsWith("/systemd/system/", StringComparison.Ordinal)), unit.Name);
        }
    }

    [TestCase("k3s", "1.36.4+k3s1", Arch.Amd64, "k3s", "https://github.com/k3s-io/k3s/releases/download/v1.36.4%2Bk3s1/k3s")]
    [TestCase("k3s", "1.36.4+k3s1", Arch.Arm64, "k3s", "https://github.com/k3s-io/k3s/releases/download/v1.36.4%2Bk3s1/k3s-arm64")]
    [TestCase("docker", "29.7.2", Arch.Arm64, "docker", "https://download.docker.com/linux/static/stable/aarch64/docker-29.7.2.tgz")]
    [TestCase("crun", "1.17", Arch.Amd64, "crun", "https://github.com/containers/crun/releases/download/1.17/crun-1.17-linux-amd64")]
    [TestCase("vault", "2.0.4", Arch.Amd64, "vault", "https://releases.hashicorp.com/vault/2.0.4/vault_2.0.4_linux_amd64.zip")]
    [TestCase("wasmtime", "48.0.1", Arch.Arm64, "wasmtime", "https://github.com/bytecodealliance/wasmtime/releases/download/v48.0.1/wasmtime-v48.0.1-aarch64-linux.tar.xz")]
    [TestCase("rke2", "1.36.1+rke2r2", Arch.Amd64, "core", "https://github.com/rancher/rke2/releases/download/v1.36.1%2Brke2r2/rke2-images-core.linux-amd64.tar.zst")]
    public void Upstreams_own_names_come_out(string name, string version, Arch arch, string download, string url)
    {
        var recipe = Book.Get(name);
        var of = recipe.Downloads.Single(one => one.Name == download);

        Assert.That(recipe.Versions.Select(known => known.Version), Does.Contain(version));
        Assert.That(Placeholders.Url(of.Url, recipe, of, version, arch).AbsoluteUri, Is.EqualTo(url));
    }

    [TestCaseSource(nameof(Names))]
    public async Task The_key_that_signs_its_list_is_there_and_is_that_key(string name)
    {
        foreach (var key in Book.Get(name).Downloads.Select(download => download.Key).OfType<string>().Distinct())
        {
            var home = Directory.CreateTempSubdirectory("crust-gpg-").FullName;
            try
            {
                var shown = await StandIn.Tools.RunAsync(Crust.Tools.ToolCommand.Of("gpg", "--homedir", home, "--batch", "--no-tty", "--with-colons", "--show-keys", Book.KeyFile(key)!), CancellationToken.None);

                Assert.That(shown.Output.Split('\n').First(line => line.StartsWith("fpr:", StringComparison.Ordinal)).Split(':')[9], Is.EqualTo(key));
            }
            finally
            {
                Directory.Delete(home, recursive: true);
            }
        }
    }

    [Test]
    public void A_recipe_that_is_not_there_is_told_with_the_nearest()
    {
        var error = Assert.Throws<CrustException>(() => Book.Get("kubernets"));

        Assert.That((error!.Kind, error.Remedy), Is.EqualTo((FailureKind.BadInput, "did you mean 'kubernetes'?")));
    }

    [Test]
    public void A_version_that_is_not_pinned_is_told_with_those_that_are() =>
        Assert.That(Assert.Throws<CrustException>(() => RecipeBook.VersionOf(Book.Get("helm"), "4.2.5"))!.Remedy, Does.Contain("4.2.4, 3.18.4"));

    [TestCase("../spec")]
    [TestCase("/etc/passwd")]
    public void A_name_leads_nowhere_else(string name) => Assert.That(() => Book.Get(name), Throws.TypeOf<CrustException>());

    [Test]
    public void A_users_own_recipe_wins()
    {
        var own = Directory.CreateTempSubdirectory("crust-recipes-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(own, "helm.yaml"), File.ReadAllText(Book.Get("helm").Path).Replace("The package manager for Kubernetes", "Our own"));

            var book = new RecipeBook(Path.Combine(Folders.BuilderBesideProgram, "recipes"), own);

            Assert.That(book.Get("helm").Summary, Is.EqualTo("Our own"));
            Assert.That(book.Names, Is.EqualTo(Book.Names), "and stands in the list once");
        }
        finally
        {
            Directory.Delete(own, recursive: true);
        }
    }
}
