const { greet } = require("greeting");

console.log(greet(process.argv[2] || "world"));
