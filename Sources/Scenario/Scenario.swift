// The first file of Scenario replaces this one.
