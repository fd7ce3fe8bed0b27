using System.Text;
using Crust.Sanitizing;
using Crust.Verification;

namespace Crust.Tests.Verification;

public sealed class CommandOutputTests
{
    private readonly Redactor _hidden = new();

    [Test]
    public async Task The_last_of_two_streams_is_kept()
    {
        var output = new CommandOutput(1000, _hidden);

        await output.ReadAsync(new MemoryStream(new byte[5000]));
        await output.ReadAsync(Stream("the end\n"));

        Assert.That(output.ToString(), Has.Length.EqualTo(1008).And.EndsWith("\0the end\n"));
    }

    [Test]
    public async Task No_part_of_a_secret_is_left_where_it_is_cut_in_the_middle()
    {
        _hidden.Hide(["hunter2 and more"]);
        var output = new CommandOutput(1000, _hidden);

        await output.ReadAsync(Stream($"{new string('a', 1500)}hunter2 and more{new string('b', 990)}"));

        Assert.That(output.ToString(), Does.Not.Contain("more").And.EndsWith("bbb"));
    }

    private static MemoryStream Stream(string text) => new(Encoding.UTF8.GetBytes(text));
}
