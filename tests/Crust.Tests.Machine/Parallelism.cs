// Each machine keeps about one core busy under TCG; CI's hosts have two.
[assembly: LevelOfParallelism(2)]
