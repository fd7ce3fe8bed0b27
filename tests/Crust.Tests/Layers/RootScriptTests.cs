using System.Collections.Immutable;
using System.Text;
using Crust.Layers;
using Crust.Trees;

namespace Crust.Tests.Layers;

/// <summary>The script that does steps in a root; the machine's tests run it.</summary>
public sealed class RootScriptTests
{
    private static RootStep.Command Run(string command, string? user = null) =>
        new(["/bin/sh", "-c", command], "/srv", user, ImmutableSortedDictionary<string, string>.Empty.Add("A", "it's")) { Where = "Dockerfile:1, RUN", Shown = $"RUN {command}" };

    [Test]
    public void Commands_have_their_folder_account_and_environment_and_tell_which_of_them_failed()
    {
        ImmutableArray<RootStep> steps = [Run("echo one"), Run("echo two", "edge")];

        var text = RootScript.Of(steps).Text;

        Assert.That(text, Does.StartWith("#!/run/crust/busybox sh\n"));
        Assert.That(text, Does.Contain("echo 'step 1 of 2: RUN echo one'\n(\nexport A='it'\\''s'\ncd '/srv' || exit\nexec '/bin/sh' '-c' 'echo one'\n) || failed 1 $?\n"));
        Assert.That(text, Does.Contain("\nexec runuser -u 'edge' -- '/bin/sh' '-c' 'echo two'\n) || failed 2 $?\n"));
        Assert.That(RootScript.FailedOf(steps, "crust: failed in step 1\nmore\ncrust: failed in step 2"), Is.SameAs(steps[1]), "what counts is what was said last");
        Assert.That(RootScript.FailedOf(steps, "crust: failed in step 9"), Is.Null);
        Assert.That(RootScript.FailedOf(steps, null), Is.Null);
    }

    [Test]
    public void Files_lie_in_the_root_until_their_step()
    {
        var tree = FileTree.Empty.With(TreeEntry.File("etc/a", TreeContent.Of("a")) with { Uid = 7, Gid = 8 }, TreeEntry.Symlink("etc/b", "a"));

        var script = RootScript.Of([new RootStep.Files(tree) { Where = "Dockerfile:2, COPY", Shown = "COPY to /etc" }]);

        Assert.That(script.Text, Does.Contain("place '/.crust-steps/0/1' || failed 1 $?\n").And.EndsWith("$b rm -rf '/.crust-steps/0'\n"));
        Assert.That(script.Files.Find(".crust-steps/0/1/etc/a")!.Uid, Is.EqualTo(7));
        Assert.That(Encoding.UTF8.GetString(script.Files.Find(".crust-steps/0/1.list")!.Content.Read(0, 1000)), Is.EqualTo("d\t755\t0:0\tetc\t\nf\t644\t7:8\tetc/a\t\nl\t777\t0:0\tetc/b\ta\n"));
    }

    [Test]
    public void A_name_that_no_list_holds_is_refused()
    {
        var step = new RootStep.Files(FileTree.Empty.With(TreeEntry.File("etc/a\nb", TreeContent.Of("a")))) { Where = "Dockerfile:2, COPY", Shown = "COPY" };

        Assert.That(() => RootScript.Of([step]), Throws.TypeOf<CrustException>().With.Property("Where").EqualTo("Dockerfile:2, COPY"));
    }

    [Test]
    public void A_step_is_known_by_all_that_decides_what_it_does()
    {
        var run = Run("x");
        RootStep[] steps =
        [
            run, Run("y"), Run("x", "edge"), run with { WorkFolder = "/" }, run with { Environment = run.Environment.SetItem("A", "b") }, run with { Environment = run.Environment.Add("B", "") },
            run with { Arguments = ["/bin/sh", "-c x"] }, new RootStep.Files(FileTree.Empty) { Where = "", Shown = "" },
        ];

        Assert.That(steps.Select(step => step.Digest), Is.Unique);
        Assert.That((run with { Where = "elsewhere" }).Digest, Is.EqualTo(run.Digest));
    }
}
