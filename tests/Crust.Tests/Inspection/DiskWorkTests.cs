using Crust.Inspection;
using Crust.Planning;
using Crust.Spec;
using Crust.Tests.Seeds;
using Crust.Tests.Spec;

namespace Crust.Tests.Inspection;

public sealed class DiskWorkTests
{
    private static readonly BuildSpec Spec = new();

    [Test]
    public void A_vendors_disk_is_tidied_of_nothing_and_the_reference_systems_of_all_but_its_seed()
    {
        Assert.That(DiskWork.TidyOf(Spec, isReference: false), Is.Empty);
        Assert.That(DiskWork.TidyOf(Spec, isReference: true), Is.EqualTo(Enum.GetValues<TidyStep>().Except([TidyStep.Seed])));
    }

    [Test]
    public void What_the_spec_says_holds_for_both([Values] bool reference) =>
        Assert.That(DiskWork.TidyOf(Spec with { Tidy = [TidyStep.Seed] }, reference), Is.EqualTo(new[] { TidyStep.Seed }));

    [Test]
    public void Only_what_the_user_asked_for_must_be_tidied()
    {
        Assert.That(DiskWork.Of(Spec, InstallerSample.Iso, "/disk", Accelerator.Tcg).MustTidy, Is.False);
        Assert.That(DiskWork.Of(Spec with { Tidy = [TidyStep.Logs] }, InstallerSample.Iso, "/disk", Accelerator.Tcg).MustTidy, Is.True);
    }

    [Test]
    public void Without_anything_to_do_nothing_is_booted()
    {
        var nothing = Spec with { Inspect = false, Trim = false, Tidy = [] };

        Assert.That(DiskWork.Of(nothing, InstallerSample.Iso with { IsReference = true }, "/disk", Accelerator.Tcg).IsAny, Is.False);
        Assert.That(Forecaster.NeedOfDisk(nothing), Is.EqualTo(Need.None));
        Assert.That(Forecaster.NeedOfDisk(nothing with { Inspect = true }), Is.EqualTo(Need.Wanted));
        Assert.That(Forecaster.NeedOfDisk(nothing with { Tidy = [TidyStep.Logs] }), Is.EqualTo(Need.Required));
    }

    [Test]
    public void The_family_is_the_specs_or_what_the_ISO_says_of_itself()
    {
        var iso = InstallerSample.Iso with { Profile = SeedProfile.Debian };

        Assert.That(DiskWork.Of(Spec, iso, "/disk", Accelerator.Tcg).Profile, Is.EqualTo(SeedProfile.Debian));
        Assert.That(DiskWork.Of(Spec with { Seed = new SeedSpec { Profile = SeedProfile.Kairos } }, iso, "/disk", Accelerator.Tcg).Profile, Is.EqualTo(SeedProfile.Kairos));
    }

    [Test]
    public void Another_tidying_is_another_disk_and_looking_at_it_is_not()
    {
        var seed = SeedSample.KeyOf(SeedSample.Full);
        string Key(BuildSpec spec) => BuildKey.For(InstallerSample.Iso.Sha256, isReference: false, seed, spec, [], () => null).Published;

        Assert.That(new[] { Key(Spec), Key(Spec with { Tidy = [TidyStep.Logs] }), Key(Spec with { Tidy = [TidyStep.Logs, TidyStep.Seed] }) }, Is.Unique);
        Assert.That(Key(Spec with { Inspect = false }), Is.EqualTo(Key(Spec)));
        Assert.That(Key(Spec with { Tidy = [] }), Is.EqualTo(Key(Spec)), "for a vendor's installer, auto is none");
    }

    [Test]
    public void What_came_of_it_is_told_in_few_words()
    {
        var disk = EvidenceSample.Reference.With("machine-id", EvidenceSample.System, "x").Read();

        Assert.That(new DiskWorked(disk, [new("logs", "/var/log", 3, 100)], 98304).Describe(), Is.EqualTo("Debian GNU/Linux 12 (bookworm), 1 warning, 3 files tidied, 96.0 KiB less to ship"));
        Assert.That(DiskWorked.Nothing.Describe(), Is.EqualTo("left as it is"));
    }

    [Test]
    public void What_must_be_tidied_and_was_not_is_a_failure_and_else_a_warning()
    {
        var evidence = EvidenceSample.None.With("tidied-systems", "0", "1").With("tidied", "4.1", "ssh-host-keys\0/etc/ssh\00\00\0nothing makes new ones\0").ToEvidence();
        var work = new DiskWork("/disk", Arch.Amd64, Accelerator.Tcg) { Tidy = [TidyStep.SshHostKeys] };

        Assert.That(DiskCare.CheckTidied(work, evidence), Is.EqualTo(new[] { "/etc/ssh isn't tidied: nothing makes new ones" }));
        ErrorAssert.Says(Assert.Throws<CrustException>(() => DiskCare.CheckTidied(work with { MustTidy = true }, evidence))!, FailureKind.GuestFailed,
            "The installed disk couldn't be tidied: /etc/ssh: nothing makes new ones", "/disk", "leave ssh-host-keys out of tidy, or let the installer see to it");
    }

    [Test]
    public void Where_there_is_no_system_nothing_was_tidied()
    {
        var evidence = EvidenceSample.None.With("tidied-systems", "0", "0").ToEvidence();
        var work = new DiskWork("/disk", Arch.Amd64, Accelerator.Tcg) { Tidy = [TidyStep.Logs] };

        Assert.That(DiskCare.CheckTidied(work, evidence), Is.Empty);
        Assert.That(Assert.Throws<CrustException>(() => DiskCare.CheckTidied(work with { MustTidy = true }, evidence))!.What, Does.Contain("there is no operating system on it"));
    }
}
