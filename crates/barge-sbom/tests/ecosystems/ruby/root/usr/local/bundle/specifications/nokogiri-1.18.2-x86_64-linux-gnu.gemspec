# -*- encoding: utf-8 -*-
# stub: nokogiri 1.18.2 x86_64-linux-gnu lib

Gem::Specification.new do |s|
  s.name = "nokogiri".freeze
  s.version = "1.18.2"
  s.platform = "x86_64-linux-gnu".freeze

  s.licenses = ["MIT".freeze]
  s.installed_by_version = "3.6.2".freeze
  s.specification_version = 4
  s.add_runtime_dependency(%q<racc>.freeze, ["~> 1.4".freeze])
end
