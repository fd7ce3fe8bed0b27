using System.Collections.Immutable;
using Crust.Canvos.Dockerfiles;
using Crust.Layers;
using Crust.Trees;

namespace Crust.Tests.Canvos;

public sealed class DockerfileReaderTests
{
    private static readonly ImmutableDictionary<string, string> Nothing = ImmutableDictionary<string, string>.Empty;

    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-dockerfile-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Commands_have_the_folder_the_user_the_shell_and_the_environment_of_their_line()
    {
        var read = Read("""
            ARG BASE
            FROM $BASE
            ARG WHAT=fish
            ENV MODE=fast HOW="very $WHAT"
            RUN echo one \
                # a comment between
                && echo two
            WORKDIR /srv
            USER edge
            SHELL ["/bin/bash", "-ec"]
            RUN echo three
            RUN ["/bin/tool", "four"]
            """);

        var runs = read.Steps.OfType<DockerStep.Run>().ToList();
        Assert.That(runs.Select(run => string.Join('|', run.Command)), Is.EqualTo(new[] { "/bin/sh|-c|echo one     && echo two", "/bin/bash|-ec|echo three", "/bin/tool|four" }));
        Assert.That(runs.Select(run => (run.WorkFolder, run.User)), Is.EqualTo(new[] { ("/", null), ("/srv", "edge"), ("/srv", (string?)"edge") }));
        Assert.That(runs[0].Env, Is.EqualTo(new Dictionary<string, string> { ["HOW"] = "very fish", ["MODE"] = "fast", ["WHAT"] = "fish" }));
        Assert.That(runs[1].ToRootStep(), Is.TypeOf<RootStep.Command>().With.Property("User").EqualTo("edge").And.Property("WorkFolder").EqualTo("/srv").And.Property("Where").EqualTo("Dockerfile:11, RUN"));
        Assert.That(read.Steps.Select(step => step.Where), Is.EqualTo(new[] { "Dockerfile:5, RUN", "Dockerfile:8, WORKDIR", "Dockerfile:11, RUN", "Dockerfile:12, RUN" }));
        Assert.That(read.Args, Is.EqualTo(new[] { "BASE", "WHAT" }));
        Assert.That(read.Env.Keys, Is.EqualTo(new[] { "HOW", "MODE" }));
    }

    [Test]
    public void A_value_of_an_ARG_that_is_given_stands_over_its_default()
    {
        var read = DockerfileReader.Parse("ARG A=1\nRUN x\n", "Dockerfile", _folder, Nothing.Add("A", "2").Add("B", "3"));

        Assert.That(((DockerStep.Run)read.Steps.Single()).Env, Is.EqualTo(new Dictionary<string, string> { ["A"] = "2" }));
    }

    [Test]
    public void The_escape_directive_and_here_documents_are_understood()
    {
        var read = Read("""
            # escape=`
            ARG N=7
            RUN echo a `
              b
            RUN <<EOF
            echo $N
            EOF
            COPY <<one <<-"two" /etc/d/
            n is $N
            one
            	raw $N
            	two
            """);

        Assert.That(read.Steps.OfType<DockerStep.Run>().Select(run => run.Command[^1]), Is.EqualTo(new[] { "echo a   b", "echo $N\n" }));
        Assert.That(read.Steps.OfType<DockerStep.Write>().Select(write => (write.Target, write.Content)), Is.EqualTo(new[] { ("/etc/d/one", "n is 7\n"), ("/etc/d/two", "raw $N\n") }));
    }

    [Test]
    public void Files_are_copied_as_COPY_copies_them()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "conf", "sub"));
        File.WriteAllText(Path.Combine(_folder, "conf", "a.cfg"), "a");
        File.WriteAllText(Path.Combine(_folder, "conf", "sub", "b.cfg"), "b");
        File.WriteAllText(Path.Combine(_folder, "tool.sh"), "t");

        var read = Read("""
            COPY conf /etc/app
            COPY tool.sh /usr/bin/tool
            WORKDIR /opt
            COPY --chmod=755 --chown=7:8 tool.* conf/*.cfg bin/
            """);

        var trees = read.Steps.OfType<DockerStep.Copy>().Select(copy => ((RootStep.Files)copy.ToRootStep()).Tree.Entries.Where(entry => entry.Kind is EntryKind.File).ToList()).ToList();
        Assert.That(trees.Select(tree => string.Join(' ', tree.Select(entry => entry.Path))), Is.EqualTo(new[] { "etc/app/a.cfg etc/app/sub/b.cfg", "usr/bin/tool", "opt/bin/a.cfg opt/bin/tool.sh" }));
        Assert.That(trees[2].Select(entry => (entry.Uid, entry.Gid, entry.Mode)), Is.All.EqualTo((7, 8, TreeEntry.Executable)));
    }

    [TestCase("FROM ubuntu:22.04", "FROM ubuntu:22.04 can't be done")]
    [TestCase("CMD [\"x\"]", "CMD can't be done: a machine starts by its init")]
    [TestCase("ADD https://x/y /", "ADD can't be done: it fetches, or unpacks an archive")]
    [TestCase("ADD --chown=1:1 tool /", "ADD can't be done")]
    [TestCase("ADD files.tar.gz /", "ADD can't be done: it fetches, or unpacks an archive")]
    [TestCase("COPY --from=build /x /y", "COPY --from can't be done")]
    [TestCase("COPY nothing /y", "There is no 'nothing'")]
    [TestCase("COPY ../x /y", "'../x' lies outside")]
    [TestCase("COPY --chown=edge Dockerfile /y", "Whose number 'edge' is")]
    [TestCase("RUN --mount=type=cache,target=/x y", "RUN --mount can't be done")]
    [TestCase("RUNN x", "There is no instruction RUNN")]
    [TestCase("ENV A", "ENV gives A no value")]
    [TestCase("RUN <<EOF\nx", "The text <<EOF has no end")]
    [TestCase("WORKDIR ${A%b}", "The line can't be understood")]
    [TestCase("!x", "This is no instruction")]
    public void What_cannot_be_done_is_refused_with_its_line(string line, string what)
    {
        File.WriteAllBytes(Path.Combine(_folder, "files.tar.gz"), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
        File.WriteAllText(Path.Combine(_folder, "tool"), "t");
        var error = Assert.Throws<CrustException>(() => Read("# comment\n" + line + "\n"))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
        Assert.That(error.Where, Does.StartWith("Dockerfile:2"));
        Assert.That(error.What, Does.StartWith(what));
    }

    [Test]
    public void ADD_of_a_plain_file_is_COPY()
    {
        File.WriteAllText(Path.Combine(_folder, "tool.sh"), "t");

        var read = Read("ADD tool.sh /usr/bin/tool\n");

        Assert.That(read.Steps.OfType<DockerStep.Copy>().Single().Target, Is.EqualTo("/usr/bin/tool"));
    }

    private Dockerfile Read(string text) => DockerfileReader.Parse(text, "Dockerfile", _folder, Nothing);
}
