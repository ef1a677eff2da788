create table notes (
  tenant varchar(40) not null,
  id char(36) not null,
  title varchar(200) not null,
  primary key (tenant, id),
  unique (tenant, title)
);
