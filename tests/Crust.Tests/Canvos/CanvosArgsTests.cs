using Crust.Canvos;
using Crust.Canvos.Args;
using Crust.Tests.Spec;

namespace Crust.Tests.Canvos;

public sealed class CanvosArgsTests
{
    [Test]
    public void The_table_in_the_docs_is_that_of_the_code() => RepositoryFile.MustHold("docs/canvos.md", "args", CanvosArgs.ToMarkdown());

    [Test]
    public void Each_ARG_stands_once_and_says_what_to_do_where_it_is_refused()
    {
        Assert.That(CanvosArgs.All.Select(arg => arg.Name), Is.Unique);
        Assert.That(CanvosArgs.All.Where(arg => arg.Fate is ArgFate.Fixed or ArgFate.Refused).Where(arg => arg.Remedy.Length == 0).Select(arg => arg.Name), Is.Empty);
        Assert.That(CanvosArgs.All.Where(arg => arg.Meaning.Length == 0).Select(arg => arg.Name), Is.Empty);
    }

    [TestCase("IS_UKI=true", "IS_UKI=true can't be built: unified kernel images aren't supported yet")]
    [TestCase("FIPS_ENABLED=true\nBASE_IMAGE=r.io/b:1\nUPDATE_KERNEL=true", "FIPS_ENABLED and UPDATE_KERNEL exclude each other: a newer kernel isn't validated")]
    [TestCase("FIPS_ENABLED=true", "A FIPS build needs a base with FIPS packages, and no BASE_IMAGE is named")]
    [TestCase("FIPS_ENABLED=true\nBASE_IMAGE=r.io/b:1\nK8S_DISTRIBUTION=k3s", "A FIPS build can't have k3s, whose programs upstream doesn't build with FIPS")]
    [TestCase("INSTALL_NVIDIA_GPU_DRIVERS=true\nINSTALL_AMD_GPU_DRIVERS=true", "Drivers of NVIDIA and of AMD exclude each other")]
    [TestCase("UPDATE_KERNEL=true", "UPDATE_KERNEL=true can't be built: the base image's kernel stays")]
    [TestCase("OS_DISTRIBUTION=rhel", "CanvOS has no base image of rhel, and no BASE_IMAGE is named")]
    [TestCase("UPDATE_KERNEL=yes", "UPDATE_KERNEL is 'yes', neither true nor false")]
    [TestCase("UBUNTU_PRO_KEY=C1234", "UBUNTU_PRO_KEY: a secret of Ubuntu Pro, which nothing here attaches to")]
    [TestCase("CUSTOM_ARG_BRAND=acme", "CanvOS has no ARG 'CUSTOM_ARG_BRAND', and the Dockerfile doesn't declare it either")]
    [TestCase("IMAGE_REGISTY=r.io", "CanvOS has no ARG 'IMAGE_REGISTY', and the Dockerfile doesn't declare it either")]
    public void What_cannot_be_built_is_refused(string text, string what)
    {
        var error = Assert.Throws<CrustException>(() => CanvosRules.Check(ArgFile.Parse(text + "\n", ".arg"), []))!;

        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.BadInput, what)));
        Assert.That(error.Message + error.Detail, Does.Not.Contain("C1234"));
    }

    [Test]
    public void An_unknown_name_is_answered_with_the_nearest_and_all_that_is_wrong_is_said_at_once()
    {
        var error = Assert.Throws<CrustException>(() => CanvosRules.Check(ArgFile.Parse("IMAGE_REGISTY=r.io\nIS_UKI=true\n", ".arg"), []))!;

        Assert.That((error.Where, error.Remedy), Is.EqualTo((".arg:1, IMAGE_REGISTY", "did you mean 'IMAGE_REGISTRY'?")));
        Assert.That(error.Detail, Does.StartWith(".arg:2, IS_UKI: IS_UKI=true can't be built"));
    }

    [Test]
    public void Names_of_the_Dockerfile_and_values_that_are_the_default_are_taken() =>
        Assert.That(() => CanvosRules.Check(ArgFile.Parse("MY_TOOL=1\nCUSTOM_ARG_MY_TOOL=1\nIS_UKI=false\nUPDATE_KERNEL=\nCMDLINE=stylus.registration\n", ".arg"), ["MY_TOOL"]), Throws.Nothing);

    [Test]
    public void What_has_no_effect_is_told()
    {
        var findings = CanvosRules.Findings(ArgFile.Parse("AURORABOOT_VERSION=v1\nALPINE_TAG=3.20\nHTTP_PROXY=http://p\n", ".arg")).Select(finding => finding.Where);

        Assert.That(findings, Is.EquivalentTo(new[] { ".arg:1, AURORABOOT_VERSION" }));
    }
}
