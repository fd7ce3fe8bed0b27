using System.Diagnostics;
using Crust.Formats;
using Crust.Spec;
using Crust.Tests.Spec;

namespace Crust.Tests.Host;

/// <summary>How `make` finds out where it builds, and what it tells docker, podman and nerdctl; each of them is a script here that writes down its arguments.</summary>
public sealed class ContainerRunnerTests
{
    private static readonly string Scripts = RepositoryFile.PathOf("builder/container");

    private string _bin = null!;

    private string Calls => File.ReadAllText(Path.Combine(_bin, "calls"));

    [SetUp]
    public void SetUp() => _bin = Directory.CreateTempSubdirectory("crust-runner-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_bin, recursive: true);

    [Test]
    public void The_hosts_own_tools_are_used_if_they_are_there()
    {
        Add("docker", "qemu-system-x86_64", "qemu-img", "xorriso", "mmdebstrap", "mksquashfs");

        Assert.That(Run("choose").Output, Is.EqualTo("native\n"));
    }

    [Test]
    public void A_container_is_used_where_a_tool_lacks_and_an_engine_is_there_else_the_host_says_what_lacks()
    {
        Add("qemu-system-x86_64", "qemu-img", "xorriso", "mmdebstrap");
        Assert.That(Run("choose").Output, Is.EqualTo("native\n"));

        Add("nerdctl");
        Assert.That(Run("choose").Output, Is.EqualTo("container\n"));
    }

    [TestCase("exit 1", TestName = "A_client_whose_engine_is_down_is_no_engine")]
    [TestCase("sleep 60", TestName = "A_client_whose_engine_never_answers_is_no_engine")]
    public void A_client_without_an_engine_is_no_engine(string answer)
    {
        Client("docker", answer);

        Assert.That(Run("choose").Output, Is.EqualTo("native\n"));
        Assert.That(Run("run", ("HOME", _bin)), Is.EqualTo((3, "", """
            make: a builder container needs a container engine, and none answers
              where: docker (a client without an engine: 'docker version' fails or hangs)
              to do: start the engine, name another by ENGINE, or set RUNNER=native to build with this machine's own tools

            """)));

        Add("podman");
        Assert.That((Run("choose").Output, Run("engine").Output), Is.EqualTo(("container\n", "podman\n")));
    }

    [Test]
    public void A_host_that_can_install_the_tools_itself_does_so_even_beside_an_engine()
    {
        Add("docker", "dpkg-query");
        Client("id", "echo 0");
        Assert.That(Run("choose").Output, Is.EqualTo("container\n"), "without apt-get");

        Add("apt-get");
        Assert.That(Run("choose").Output, Is.EqualTo("native\n"), "as root");

        Client("id", "echo 1000");
        Assert.That(Run("choose").Output, Is.EqualTo("container\n"), "as a user without sudo");

        Client("sudo", "exit 1");
        Assert.That(Run("choose").Output, Is.EqualTo("container\n"), "as a user whom sudo asks for a password that nobody can give");

        Client("sudo", "exit 0");
        Assert.That(Run("choose").Output, Is.EqualTo("native\n"), "as a user with sudo");
    }

    [Test]
    public void A_docker_that_lacks_buildx_is_told_as_that()
    {
        Client("docker", """case "$1" in build|buildx) exit 1 ;; esac""");

        Assert.That(Run("build", ("EMBED", "false")).Error, Does.Contain("docker may lack its buildx plug-in").And.Contain("to do: install docker-buildx-plugin"));
    }

    [Test]
    public void Without_an_engine_it_says_what_to_install()
    {
        var (code, _, error) = Run("run", ("HOME", _bin));

        Assert.That((code, error), Is.EqualTo((3, """
            make: a builder container needs docker, podman or nerdctl, and this machine has none
              where: docker, podman and nerdctl in PATH
              to do: install one of them, name one by ENGINE, or set RUNNER=native to build with this machine's own tools

            """)));
    }

    [TestCase("docker")]
    [TestCase("podman")]
    [TestCase("nerdctl")]
    public void Each_engine_is_asked_for_no_privilege(string engine)
    {
        Add(engine);

        var (code, _, error) = Run("run", ("HOME", _bin), ("BUILDER", "builder:1"), ("SSH_PASSWORD", "hunter2hunter2"));

        Assert.That((code, error), Is.EqualTo((0, "")));
        Assert.That(Calls, Does.Contain($"{engine} run --rm --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges ").And.Contain(":/images ").And.Contain(" builder:1 "));
        Assert.That(Calls, Does.Contain(" -e SSH_PASSWORD ").And.Not.Contain("hunter2"), "a secret's name is enough");
        Assert.That(Calls, Does.Not.Contain("--privileged").And.Not.Contain("--network"));
    }

    [Test]
    public void The_first_of_several_engines_is_taken_and_another_if_it_is_named()
    {
        Add("nerdctl", "podman");

        Assert.That((Run("engine").Output, Run("engine", ("ENGINE", "nerdctl")).Output), Is.EqualTo(("podman\n", "nerdctl\n")));
    }

    [Test]
    public void Every_variable_of_the_spec_goes_into_the_container()
    {
        Add("docker");
        var variables = SpecKeys.For(ImageFormats.ForSpec).Select(key => key.Variable).OfType<string>().ToList();

        Run("run", [("HOME", _bin), ("BUILDER", "builder:1"), .. variables.Select(name => (name, "x"))]);

        Assert.That(variables.Where(name => !Calls.Contains($" -e {name} ", StringComparison.Ordinal)), Is.Empty);
    }

    // A program that answers, and writes down how it was called.
    private void Add(params string[] programs)
    {
        foreach (var program in programs)
        {
            Client(program, $"echo {program} \"$@\" . >> {_bin}/calls");
        }
    }

    private void Client(string program, string script)
    {
        var path = Path.Combine(_bin, program);
        File.Delete(path); // which may be a link to the host's own
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32("755", 8));
    }

    // A PATH with what the scripts themselves call, and with what a test added.
    private (int Code, string Output, string Error) Run(string script, params (string Name, string Value)[] variables)
    {
        foreach (var program in new[] { "sh", "bash", "env", "dirname", "basename", "cat", "id", "mkdir", "stat", "realpath", "make", "rm", "timeout", "sleep", "grep" })
        {
            if (!File.Exists(Path.Combine(_bin, program)))
            {
                File.CreateSymbolicLink(Path.Combine(_bin, program), new[] { "/usr/bin", "/bin" }.Select(folder => Path.Combine(folder, program)).First(File.Exists));
            }
        }

        var info = new ProcessStartInfo(Path.Combine(Scripts, script), script == "run" ? ["build", "--format", "vmdk"] : [])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.Environment.Clear();
        info.Environment["PATH"] = _bin;
        foreach (var (name, value) in variables)
        {
            info.Environment[name] = value;
        }

        using var process = Process.Start(info)!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
