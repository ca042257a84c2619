package = "LPeg"
version = "1.1.0-2"
source = {
   url = "https://www.inf.puc-rio.br/~roberto/lpeg/lpeg-1.1.0.tar.gz",
}
description = {
   summary = "Parsing Expression Grammars For Lua",
   homepage = "https://www.inf.puc-rio.br/~roberto/lpeg.html",
   maintainer = "Gary V. Vaughan <gary@vaughan.pe>",
   license = "MIT/X11"
}
dependencies = {
   "lua >= 5.1"
}
