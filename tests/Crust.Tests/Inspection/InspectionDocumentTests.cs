using System.Collections.Immutable;
using Crust.Cli.Views;
using Crust.Inspection;
using Crust.Tests.Spec;

namespace Crust.Tests.Inspection;

public sealed class InspectionDocumentTests
{
    private const string At = EvidenceSample.System;

    private static readonly ImmutableArray<Inspected> Files =
    [
        new()
        {
            File = "images/edge.qcow2",
            Size = 411 << 20,
            Kind = "qcow2",
            Disk = EvidenceSample.Reference.With("machine-id", At, "0123456789abcdef0123456789abcdef\n")
                .With("accounts", At, "root:none:0:/root:/bin/bash:20089:99999:\nedge:$6:1000:/home/edge:/bin/bash:20089:90:20500\n").With("keys", At, "edge:2\n")
                .With("host-keys", At, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJP+0EG/QTzTHB7PCTOEibNDfNe0RPvJEziM6I46g1nu root@edge\n")
                .WithFiles("/etc/ssh/ssh_host_ed25519_key", "/var/lib/systemd/random-seed")
                .With("volume", "5", "SIZE=536870912\nNUMBER=4\nID_FS_TYPE=crypto_LUKS\nID_PART_ENTRY_NAME=persistent\nID_PART_ENTRY_TYPE=0fc63daf-8483-4772-8e79-3d69d8477de4\n").Read(),
        },
        new()
        {
            File = "iso/edge.iso",
            Size = 270 << 20,
            Kind = "iso",
            Iso = new IsoInspection
            {
                VolumeId = "COS_LIVE",
                Title = "Edge OS 3.1",
                DeclaredSize = 271 << 20,
                Missing = 1 << 20,
                BootsBios = true,
                BootsUefi = true,
                Hybrid = "mbr and gpt",
                Profile = "kairos",
                ProfileSign = "'install-mode' in boot/grub2/grub.cfg",
                Seeds = ["nocloud", "embedded"],
            },
        },
    ];

    [Test]
    public void The_document_is_what_scripts_depend_on() =>
        RepositoryFile.MustEqual("tests/Crust.Tests/Golden/inspect/inspect.json", new InspectionDocument { Crust = "0.1.0+commit", Files = Files }.ToJson());

    [Test]
    public void The_page_is_what_people_read()
    {
        var page = new StringWriter { NewLine = "\n" };
        InspectView.WriteLines(Files, page);

        RepositoryFile.MustEqual("tests/Crust.Tests/Golden/inspect/inspect.txt", page.ToString());
    }

    [Test]
    public void A_disk_with_nothing_on_it_has_a_page_too()
    {
        var page = new StringWriter { NewLine = "\n" };
        InspectView.WriteLines([new Inspected { File = "empty.img", Size = 1 << 20, Kind = "img", Disk = EvidenceSample.None.With("volume", "1", "SIZE=1048576\n").Read() }], page);

        Assert.That(page.ToString(), Does.Contain("nothing: no partition and no file system that is known"));
    }

    [Test]
    public void A_terminal_gets_the_same_words()
    {
        var page = new StringWriter { NewLine = "\n" };
        InspectView.WriteGrids(Files, page, color: false);

        Assert.That(page.ToString(), Does.Contain("Debian GNU/Linux 12 (bookworm), partition 3").And.Contain("tidy: [machine-id]").And.Contain("NO: 1.0 MiB are missing"));
    }
}
