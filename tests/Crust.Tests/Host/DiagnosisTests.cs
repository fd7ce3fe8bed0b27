using Crust.Cli.Views;
using Crust.Host;
using Crust.Machines;
using Crust.Spec;
using Crust.Tests.Spec;

namespace Crust.Tests.Host;

/// <summary>What people and scripts read of the doctor.</summary>
public sealed class DiagnosisTests
{
    private static readonly BuildSpec Spec = new() { Formats = ["img", "vmdk"] };

    private static readonly AcceleratorChoice Tcg = new(Accelerator.Tcg, "there is no /dev/kvm", "KVM can't be used");

    private static readonly Finding[] Fine =
    [
        new("host", "memory", Gravity.Fine, "12.0 GiB available; the machine has 4.0 GiB"),
        new("host", "container", Gravity.Note, "Crust runs in a container (Docker)"),
        new("host", "kvm", Gravity.Warning, "KVM can't be used: there is no /dev/kvm") { Where = "/dev/kvm", Remedy = "enable virtualisation" },
        new("tools", "setpriv", Gravity.Fine, "2.38.1: starts all others") { Where = "/usr/bin/setpriv" },
    ];

    private static readonly Diagnosis Sick = new("edge", Spec, new HostFindings(
    [
        .. Fine,
        Finding.Missing("tools", "xorriso", Gravity.Problem, "The program 'xorriso' isn't installed", "searched in PATH and the sbin folders", "xorriso"),
        Finding.Missing("tools", "mcopy", Gravity.Problem, "The program 'mcopy' isn't installed", "searched in PATH and the sbin folders", "mtools"),
        Finding.Missing("tools", "mmd", Gravity.Problem, "The program 'mmd' isn't installed", "searched in PATH and the sbin folders", "mtools"),
        new("folders", "images", Gravity.Problem, "The folder can't be written: [Read-only]") { Where = "/srv/images", Remedy = "make it writable" },
    ], Tcg));

    private static readonly Diagnosis Well = new("edge", Spec, new HostFindings([.. Fine], Tcg));

    [Test]
    public void The_document_has_one_shape() =>
        RepositoryFile.MustEqual("tests/Crust.Tests/Golden/doctor/diagnosis.json", Sick.ToJson().Replace(CrustVersion.Current, "VERSION"));

    [Test]
    public void The_lines_have_one_shape()
    {
        using var output = new StringWriter();
        DoctorView.WriteLines(Sick, output);

        RepositoryFile.MustEqual("tests/Crust.Tests/Golden/doctor/diagnosis.txt", output.ToString());
    }

    [Test]
    public void A_terminal_gets_a_table_in_which_words_say_what_marks_say_and_no_color_unless_it_is_wanted()
    {
        using var output = new StringWriter();
        DoctorView.WriteTable(Sick, output, color: false);
        var table = output.ToString();

        Assert.That(table, Does.Contain("✗ PROBLEM").And.Contain("! warning").And.Contain("✓ ok").And.Contain("· note").And.Contain("[Read-only]"));
        Assert.That(table, Does.Contain("apt-get install mtools xorriso").And.Not.Contain("\e[3").And.Not.Contain("\e[9"));
    }

    [Test]
    public void Warnings_do_not_keep_a_host_from_building()
    {
        Assert.That((Well.CanBuild, Well.Install), Is.EqualTo((true, (string?)null)));
        Assert.That(Well.Summary, Is.EqualTo("This host can build edge (img, vmdk) with tcg; 1 warning: kvm"));
    }

    [Test]
    public void Problems_do_and_are_named()
    {
        Assert.That((Sick.CanBuild, Sick.Install), Is.EqualTo((false, "apt-get install mtools xorriso")));
        Assert.That(Sick.Summary, Is.EqualTo("This host can't build edge (img, vmdk); 4 problems: xorriso, mcopy, mmd, images"));
    }
}
